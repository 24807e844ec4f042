// The part of auth0's samlp (which ships no types) that the demonstration's identity provider calls.

declare module 'samlp' {
  interface ProfileMapper {
    getClaims(): Record<string, string | readonly string[]>
    getNameIdentifier(): { nameIdentifier: string; nameIdentifierFormat?: string }
  }

  interface ResponseOptions<User> {
    issuer: string
    /** PEM. */
    cert: string
    /** PEM. */
    key: string
    audience: string
    recipient: string
    destination: string
    inResponseTo?: string
    sessionIndex?: string
    lifetimeInSeconds?: number
    signAssertion?: boolean
    signResponse?: boolean
    signatureAlgorithm: 'rsa-sha256' | 'rsa-sha1'
    digestAlgorithm: 'sha256' | 'sha1'
    samlStatusCode?: string
    samlStatusMessage?: string
    profileMapper(user: User): ProfileMapper
  }

  interface AuthnRequest {
    id?: string
    issuer?: string
    assertionConsumerServiceURL?: string
  }

  interface Samlp {
    getSamlResponse<User>(
      options: ResponseOptions<User>,
      user: User,
      callback: (error: Error | null, xml: string) => void,
    ): void
    parseRequest(
      request: { query: Record<string, string>; body: Record<string, string> },
      callback: (error: Error | null, request?: AuthnRequest) => void,
    ): void
  }

  const samlp: Samlp
  export default samlp
}
