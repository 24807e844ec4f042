// Columns whose words a CHECK holds closed, read as the type that names those words.

/** The value, where it is one of the words; throws where the database and the code no longer speak alike. */
export function oneOf<const W extends string>(words: readonly W[], value: string): W {
  const found = words.find((word) => word === value)
  if (found === undefined) throw new Error(`the database holds a word that the code does not know: ${value}`)
  return found
}
