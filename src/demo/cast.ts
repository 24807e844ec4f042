// Who appears in the demonstration: invented people of invented companies, all below `.example` (RFC 2606). Data only.

import type { OidcAccount } from './oidc-provider.ts'
import type { SamlUser } from './saml-provider.ts'

export interface CastMember {
  readonly given: string
  readonly family: string
  readonly email: string
  readonly title: string
  readonly department: string
  /** Display names of directory groups. */
  readonly groups: readonly string[]
}

/** Address, names, title, department; the groups follow. */
type Line = readonly [local: string, given: string, family: string, title: string, department: string]

function cast(domain: string, groups: readonly string[], lines: readonly Line[]): CastMember[] {
  return lines.map(([local, given, family, title, department]) => ({
    given,
    family,
    email: `${local}@${domain}`,
    title,
    department,
    groups,
  }))
}

export const acmeGroups = { admins: 'Acme Admins', engineers: 'Acme Engineers', sales: 'Acme Sales' } as const

/** 25 people: one both admin and engineer, and two in no group at all. */
export const acmePeople: readonly CastMember[] = [
  ...cast('acme.example', [acmeGroups.admins], [['ada', 'Ada', 'Okafor', 'Head of IT', 'IT']]),
  ...cast(
    'acme.example',
    [acmeGroups.admins, acmeGroups.engineers],
    [['bruno', 'Bruno', 'Keller', 'Platform Lead', 'Engineering']],
  ),
  ...cast(
    'acme.example',
    [acmeGroups.engineers],
    [
      ['chloe', 'Chloé', 'Marchand', 'Engineer', 'Engineering'],
      ['dmitri', 'Dmitri', 'Volkov', 'Engineer', 'Engineering'],
      ['elif', 'Elif', 'Aydın', 'Engineer', 'Engineering'],
      ['farid', 'Farid', 'Nasser', 'Engineer', 'Engineering'],
      ['grace', 'Grace', 'Mbeki', 'Staff Engineer', 'Engineering'],
      ['hiro', 'Hiro', 'Tanaka', 'Engineer', 'Engineering'],
      ['ines', 'Inês', 'Carvalho', 'Engineer', 'Engineering'],
      ['jonas', 'Jonas', 'Lindqvist', 'Engineer', 'Engineering'],
      ['kavya', 'Kavya', 'Rao', 'Engineer', 'Engineering'],
      ['liam', 'Liam', "O'Rourke", 'Test Engineer', 'Engineering'],
      ['mei', 'Mei', 'Chen', 'Engineer', 'Engineering'],
      ['noor', 'Noor', 'Haddad', 'Engineer', 'Engineering'],
    ],
  ),
  ...cast(
    'acme.example',
    [acmeGroups.sales],
    [
      ['oskar', 'Oskar', 'Nowak', 'Head of Sales', 'Sales'],
      ['paula', 'Paula', 'Ferrer', 'Account Manager', 'Sales'],
      ['quentin', 'Quentin', 'Dubois', 'Account Manager', 'Sales'],
      ['rosa', 'Rosa', 'Esposito', 'Account Manager', 'Sales'],
      ['samir', 'Samir', 'Patel', 'Sales Engineer', 'Sales'],
      ['tove', 'Tove', 'Berg', 'Account Manager', 'Sales'],
      ['uma', 'Uma', 'Krishnan', 'Account Manager', 'Sales'],
      ['victor', 'Victor', 'Almeida', 'Account Manager', 'Sales'],
      ['wanda', 'Wanda', 'Zielinska', 'Account Manager', 'Sales'],
    ],
  ),
  ...cast(
    'acme.example',
    [],
    [
      ['xenia', 'Xenia', 'Petrou', 'Accountant', 'Finance'],
      ['yusuf', 'Yusuf', 'Demir', 'Counsel', 'Legal'],
    ],
  ),
]

/** Named by hand before the directory comes, and recognised in it afterwards. */
export const acmeOwner = 'ada@acme.example'
/** In two groups, of which the stronger role counts. */
export const acmeBoth = 'bruno@acme.example'
/** Logs in by SAML. */
export const acmeLogin = 'grace@acme.example'
/** Leaves: the directory deactivates, and the next login is refused. */
export const acmeLeaver = 'victor@acme.example'

export const borealisGroups = { owners: 'Borealis IT', analysts: 'Borealis Analysts' } as const

/** 10 people. */
export const borealisPeople: readonly CastMember[] = [
  ...cast(
    'borealis.example',
    [borealisGroups.owners],
    [
      ['aino', 'Aino', 'Virtanen', 'IT Manager', 'IT'],
      ['bjarne', 'Bjarne', 'Solberg', 'Administrator', 'IT'],
    ],
  ),
  ...cast(
    'borealis.example',
    [borealisGroups.analysts],
    [
      ['cecilie', 'Cecilie', 'Dahl', 'Analyst', 'Research'],
      ['daniel', 'Daniel', 'Sørensen', 'Analyst', 'Research'],
      ['elina', 'Elina', 'Koskinen', 'Analyst', 'Research'],
      ['freja', 'Freja', 'Holm', 'Analyst', 'Research'],
      ['gunnar', 'Gunnar', 'Eriksen', 'Analyst', 'Research'],
    ],
  ),
  ...cast(
    'borealis.example',
    [],
    [
      ['hilde', 'Hilde', 'Nygaard', 'Assistant', 'Operations'],
      ['ivar', 'Ivar', 'Strand', 'Assistant', 'Operations'],
      ['juha', 'Juha', 'Mäkinen', 'Driver', 'Operations'],
    ],
  ),
]

export const borealisLeavers: readonly string[] = ['gunnar@borealis.example', 'juha@borealis.example']

/** Both in the same organization of the provider; Zitadel's claims (https://zitadel.com/docs/apis/openidoauth/claims). */
export const cobaltAccounts: readonly OidcAccount[] = [
  zitadelAccount('281400000000000101', 'mara@cobalt.example', 'Mara Lindholm', ['developers']),
  zitadelAccount('281400000000000102', 'nico@cobalt.example', 'Nico Bauer', []),
]

function zitadelAccount(sub: string, email: string, name: string, groups: readonly string[]): OidcAccount {
  return {
    sub,
    email,
    email_verified: true,
    name,
    'urn:zitadel:iam:user:resourceowner:id': '281300000000000007',
    'urn:zitadel:iam:user:resourceowner:name': 'Cobalt',
    'urn:zitadel:iam:user:resourceowner:primary_domain': 'cobalt.example',
    groups,
  }
}

export interface Arrival {
  readonly name: string
  readonly email: string
}

export const duneOwner: Arrival = { name: 'Ottilie Brandt', email: 'ottilie@dune.example' }
/** In the order in which they sign up; with the owner they are one more than there are seats. */
export const duneArrivals: readonly Arrival[] = [
  { name: 'Pablo Reyes', email: 'pablo@dune.example' },
  { name: 'Rania Saleh', email: 'rania@dune.example' },
  { name: 'Stellan Frost', email: 'stellan@dune.example' },
]
export const duneSeats = 3

export function fullName(person: CastMember): string {
  return `${person.given} ${person.family}`
}

/** How an identity provider for Acme would release its people. */
export function samlUserOf(person: CastMember): SamlUser {
  return {
    nameId: `acme-${person.email.split('@', 1)[0]}`,
    attributes: {
      email: person.email,
      displayName: fullName(person),
      givenName: person.given,
      surname: person.family,
    },
  }
}
