// freemail ships no types; this is the part that claiming a domain asks.

declare module 'freemail' {
  /** Both take an address or a domain and look at its registrable domain. */
  const freemail: {
    isFree(domain: string): boolean
    isDisposable(domain: string): boolean
  }
  export default freemail
}
