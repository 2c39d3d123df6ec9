// Forms of rules (GET /owner/templates) filled in, as a wallet does it: a name takes the place of the whole value.

/** What each name is filled in with, as the owner API takes it. `group`: the id of one. */
export const valuesFor = (group: string): Readonly<Record<string, string | number>> => ({
  email: 'bob@clinic.example',
  domain: 'clinic.example',
  group,
  link: 'l'.repeat(32),
  level: 2,
  max_age: 600,
  purpose: 'TREAT',
  client: 'https://ehr.clinic.example/client.json',
  from: 1_795_000_000,
  until: 4_000_000_000,
  max: 5,
})

/** A form with its blanks filled in. Throws if a value is missing. */
export const filledIn = (form: unknown, values: Readonly<Record<string, string | number>>): unknown =>
  JSON.parse(JSON.stringify(form), (_, value: unknown) => {
    const name = typeof value === 'string' ? /^\{(\w+)\}$/.exec(value)?.[1] : undefined
    if (name === undefined) return value
    if (values[name] === undefined) throw new Error(`nothing to fill in for ${name}`)
    return values[name]
  })
