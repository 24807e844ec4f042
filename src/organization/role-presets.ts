// Role sets as data: one per kind of product, and what a tenant's own has to fulfil. Ranks leave room between them
// for a tenant's own roles. Which permission does what is the host product's; the keys are handed on.

import { RollcallError } from '../model/errors.ts'

export interface RoleDefinition {
  readonly key: string
  readonly name: string
  /** Higher is stronger. */
  readonly rank: number
  readonly scopeKind: 'organization' | 'unit' | 'workspace'
  readonly permissions: readonly string[]
  readonly isOwner: boolean
}

export interface RoleSetDefinition {
  readonly key: string
  readonly name: string
  readonly roles: readonly RoleDefinition[]
}

type Row = readonly [
  key: string,
  name: string,
  rank: number,
  permissions: readonly string[],
  scope?: 'unit' | 'workspace',
]

/** The first row is the owner. */
function roleSet(key: string, name: string, rows: readonly Row[]): RoleSetDefinition {
  return {
    key,
    name,
    roles: rows.map(([roleKey, roleName, rank, permissions, scope], index) => ({
      key: roleKey,
      name: roleName,
      rank,
      permissions,
      scopeKind: scope ?? 'organization',
      isOwner: index === 0,
    })),
  }
}

const learning = {
  member: ['organization.view'],
  team: ['team.manage'],
  department: ['department.manage', 'team.create'],
  administration: ['organization.edit', 'members.invite', 'members.remove', 'members.change_role', 'audit.view'],
  owner: ['billing.manage', 'organization.delete'],
}

export const rolePresets = {
  learning: roleSet('learning', 'Learning platform', [
    ['owner', 'Owner', 100, Object.values(learning).flat()],
    [
      'organization_admin',
      'Organization Admin',
      80,
      [...learning.member, ...learning.team, ...learning.department, ...learning.administration],
    ],
    [
      'department_admin',
      'Department Admin',
      60,
      [...learning.member, ...learning.team, ...learning.department],
      'unit',
    ],
    ['team_leader', 'Team Leader', 40, [...learning.member, ...learning.team], 'unit'],
    ['member', 'Member', 20, learning.member],
  ]),
  claims: roleSet('claims', 'Claims', [
    ['owner', 'Owner', 100, ['organization.edit', 'members.invite', 'members.remove', 'members.change_role']],
    ['organization_admin', 'Organization Admin', 80, ['organization.edit', 'members.invite', 'members.remove']],
    ['user', 'User', 20, ['workspaces.use_assigned']],
    ['partner', 'Partner', 10, ['workspaces.use_assigned'], 'workspace'],
  ]),
  cloud: roleSet('cloud', 'Cloud operations', [
    [
      'owner',
      'Owner',
      100,
      [
        'organization.edit',
        'billing.manage',
        'model_keys.configure',
        'members.invite',
        'members.remove',
        'members.change_role',
        'workspaces.create',
        'workspaces.delete',
        'workspaces.use_all',
        'workspaces.use_assigned',
        'operations.run',
        'ownership.transfer',
      ],
    ],
    [
      'admin',
      'Admin',
      80,
      [
        'organization.edit',
        'members.invite',
        'members.remove',
        'members.change_role',
        'workspaces.create',
        'workspaces.delete',
        'workspaces.use_all',
        'workspaces.use_assigned',
        'operations.run',
      ],
    ],
    ['developer', 'Developer', 40, ['workspaces.use_assigned', 'operations.run']],
    ['viewer', 'Viewer', 20, ['workspaces.use_assigned']],
  ]),
  reseller: roleSet('reseller', 'Groups and organisations', [
    ['owner', 'Owner', 100, ['organization.edit', 'members.invite', 'members.remove', 'members.change_role']],
    ['manager', 'Manager', 60, ['members.invite', 'members.remove']],
    ['learner', 'Learner', 20, []],
  ]),
  retail: roleSet('retail', 'Retail coaching', [
    ['owner', 'Owner', 100, ['organization.edit', 'members.invite', 'members.remove', 'members.change_role']],
    ['manager', 'Manager', 60, ['employees.coach']],
    ['employee', 'Employee', 20, []],
  ]),
} as const satisfies Record<string, RoleSetDefinition>

export type RolePresetKey = keyof typeof rolePresets

/**
 * Throws `invalid_value` where a set cannot carry an organization: one owner (who may not be lost), an
 * organization-wide role beneath it to begin with, and no key twice.
 */
export function checkRoleSet(set: RoleSetDefinition): void {
  const owners = set.roles.filter((role) => role.isOwner)
  if (owners.length !== 1) invalid('A role set has exactly one owner role.')
  if (owners[0]?.scopeKind !== 'organization') invalid('The owner role is one of the whole organization.')
  if (set.roles.some((role) => !role.isOwner && role.rank >= (owners[0]?.rank ?? 0))) {
    invalid('The owner role has the highest rank.')
  }
  if (new Set(set.roles.map((role) => role.key)).size !== set.roles.length) invalid('A role key stands there twice.')
  if (lowestRole(set.roles) === undefined) invalid('A role set needs an organization role beside the owner.')
}

/** What a member without any grant is, unless an organization says otherwise. */
export function lowestRole<R extends Pick<RoleDefinition, 'rank' | 'scopeKind' | 'isOwner'>>(
  roles: readonly R[],
): R | undefined {
  return roles
    .filter((role) => !role.isOwner && role.scopeKind === 'organization')
    .sort((one, other) => one.rank - other.rank)[0]
}

function invalid(detail: string): never {
  throw new RollcallError('invalid_value', detail)
}
