-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "unknown_organization_policy" TEXT NOT NULL DEFAULT 'refuse',
    "sign_up_policy" TEXT NOT NULL DEFAULT 'refuse',
    "default_organization_id" UUID,
    "next_organization_number" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "role_sets" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "role_sets_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "roles" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "role_set_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "rank" INTEGER NOT NULL,
    "scope_kind" TEXT NOT NULL DEFAULT 'organization',
    "permissions" TEXT[],
    "is_owner" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "organizations" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL DEFAULT 'organization',
    "status" TEXT NOT NULL DEFAULT 'active',
    "role_set_id" UUID NOT NULL,
    "default_role_id" UUID NOT NULL,
    "seat_limit" INTEGER,
    "seat_policy" TEXT NOT NULL DEFAULT 'block',
    "seats_used" INTEGER NOT NULL DEFAULT 0,
    "next_member_number" INTEGER NOT NULL DEFAULT 1,
    "brake_percent" INTEGER NOT NULL DEFAULT 20,
    "brake_minimum" INTEGER NOT NULL DEFAULT 10,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "organization_aliases" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "organization_aliases_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "units" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "parent_id" UUID,
    "leader_member_id" UUID,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "units_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "workspaces" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workspaces_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "domains" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "challenge" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "check_requested_at" TIMESTAMPTZ(3),
    "checked_at" TIMESTAMPTZ(3),
    "verified_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "domains_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "join_rules" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "domain_id" UUID NOT NULL,
    "role_id" UUID,
    "unit_id" UUID,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "join_rules_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directories" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "provider" TEXT NOT NULL DEFAULT 'other',
    "state" TEXT NOT NULL DEFAULT 'pending',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "first_contact_at" TIMESTAMPTZ(3),
    "last_contact_at" TIMESTAMPTZ(3),

    CONSTRAINT "directories_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directory_tokens" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "directory_id" UUID NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "directory_tokens_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directory_users" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "directory_id" UUID NOT NULL,
    "user_name" TEXT NOT NULL,
    "external_id" TEXT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "display_name" TEXT,
    "given_name" TEXT,
    "family_name" TEXT,
    "email" TEXT,
    "title" TEXT,
    "department" TEXT,
    "manager" TEXT,
    "attributes" JSONB NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "directory_users_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directory_groups" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "directory_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "external_id" TEXT,
    "attributes" JSONB NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "directory_groups_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directory_group_members" (
    "tenant_id" UUID NOT NULL,
    "group_id" UUID NOT NULL,
    "member_value" TEXT NOT NULL,
    "directory_id" UUID NOT NULL,
    "directory_user_id" UUID,
    "child_group_id" UUID,

    CONSTRAINT "directory_group_members_pkey" PRIMARY KEY ("tenant_id","group_id","member_value")
);

-- CreateTable
CREATE TABLE "mappings" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "source_kind" TEXT NOT NULL,
    "directory_id" UUID,
    "group_id" UUID,
    "connection_id" UUID,
    "claim_value" TEXT,
    "role_id" UUID,
    "unit_id" UUID,
    "workspace_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mappings_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "users" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "email" TEXT,
    "email_key" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "display_name" TEXT,
    "given_name" TEXT,
    "family_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "members" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "status_reason" TEXT,
    "source" TEXT NOT NULL,
    "role_id" UUID,
    "seated" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "waitlisted_at" TIMESTAMPTZ(3),

    CONSTRAINT "members_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "grants" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "role_id" UUID,
    "unit_id" UUID,
    "workspace_id" UUID,
    "source_kind" TEXT NOT NULL,
    "source_id" UUID,
    "reason" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "directory_links" (
    "tenant_id" UUID NOT NULL,
    "directory_user_id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "user_id" UUID,
    "rule" TEXT NOT NULL,
    "observed_generation" INTEGER NOT NULL,
    "observed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "directory_links_pkey" PRIMARY KEY ("tenant_id","directory_user_id")
);

-- CreateTable
CREATE TABLE "conflicts" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "subject_kind" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "candidate_user_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'open',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "conflicts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "connections" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'active',
    "config" JSONB NOT NULL,
    "sealed_secret" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "identities" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "connection_id" UUID,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "email" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "display_name" TEXT,
    "given_name" TEXT,
    "family_name" TEXT,
    "user_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "identities_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "entries" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "identity_id" UUID,
    "connection_id" UUID,
    "join_rule_id" UUID,
    "invitation_id" UUID,
    "user_id" UUID,
    "email" TEXT,
    "display_name" TEXT,
    "role_id" UUID,
    "unit_id" UUID,
    "claim_values" TEXT[],
    "generation" INTEGER NOT NULL DEFAULT 1,
    "observed_generation" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "withdrawn_at" TIMESTAMPTZ(3),

    CONSTRAINT "entries_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "invitations" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "email_key" TEXT NOT NULL,
    "role_id" UUID,
    "unit_id" UUID,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "invited_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),

    CONSTRAINT "invitations_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "login_attempts" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "request_id" TEXT,
    "nonce" TEXT,
    "code_verifier" TEXT,
    "browser_hash" BYTEA NOT NULL,
    "return_to" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "login_attempts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "consumed_assertions" (
    "tenant_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "assertion_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "consumed_assertions_pkey" PRIMARY KEY ("tenant_id","connection_id","assertion_id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "identity_id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "connection_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "email_codes" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "email_key" TEXT NOT NULL,
    "code_hash" BYTEA NOT NULL,
    "display_name" TEXT,
    "browser_hash" BYTEA NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "email_codes_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "mails" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "recipient" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "failed_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "mails_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "seat_ledger" (
    "tenant_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "organization_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "delta" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "plan_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "seat_ledger_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "plans" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "removals" JSONB NOT NULL,
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "decided_at" TIMESTAMPTZ(3),
    "decided_by" TEXT,

    CONSTRAINT "plans_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "held_changes" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "plan_id" UUID NOT NULL,
    "directory_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "why" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'held',
    "fingerprint" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "held_changes_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "reconcile_requests" (
    "tenant_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "organization_id" UUID NOT NULL,
    "subject_kind" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "urgent" BOOLEAN NOT NULL DEFAULT false,
    "cause_id" UUID,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "set_aside_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "reconcile_requests_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "organization_id" UUID,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "door" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject_kind" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "cause_id" UUID,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "events" (
    "tenant_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "organization_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "payload" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_slug_key" ON "tenants"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "role_sets_tenant_id_key_key" ON "role_sets"("tenant_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "roles_tenant_id_role_set_id_key_key" ON "roles"("tenant_id", "role_set_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "roles_tenant_id_role_set_id_id_key" ON "roles"("tenant_id", "role_set_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "organizations_tenant_id_number_key" ON "organizations"("tenant_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "organization_aliases_tenant_id_connection_id_value_key" ON "organization_aliases"("tenant_id", "connection_id", "value");

-- CreateIndex
CREATE UNIQUE INDEX "units_tenant_id_organization_id_id_key" ON "units"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "workspaces_tenant_id_organization_id_id_key" ON "workspaces"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "domains_tenant_id_organization_id_id_key" ON "domains"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "domains_tenant_id_organization_id_name_key" ON "domains"("tenant_id", "organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "join_rules_tenant_id_domain_id_key" ON "join_rules"("tenant_id", "domain_id");

-- CreateIndex
CREATE UNIQUE INDEX "directories_id_key" ON "directories"("id");

-- CreateIndex
CREATE UNIQUE INDEX "directories_tenant_id_organization_id_id_key" ON "directories"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "directory_tokens_hash_key" ON "directory_tokens"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "directory_users_tenant_id_directory_id_id_key" ON "directory_users"("tenant_id", "directory_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "directory_groups_tenant_id_organization_id_directory_id_id_key" ON "directory_groups"("tenant_id", "organization_id", "directory_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "directory_groups_tenant_id_directory_id_id_key" ON "directory_groups"("tenant_id", "directory_id", "id");

-- CreateIndex
CREATE INDEX "directory_group_members_tenant_id_directory_user_id_idx" ON "directory_group_members"("tenant_id", "directory_user_id");

-- CreateIndex
CREATE INDEX "mappings_tenant_id_organization_id_idx" ON "mappings"("tenant_id", "organization_id");

-- CreateIndex
CREATE INDEX "users_tenant_id_email_key_idx" ON "users"("tenant_id", "email_key");

-- CreateIndex
CREATE INDEX "members_tenant_id_user_id_idx" ON "members"("tenant_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "members_tenant_id_organization_id_id_key" ON "members"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "members_tenant_id_organization_id_user_id_key" ON "members"("tenant_id", "organization_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "members_tenant_id_organization_id_number_key" ON "members"("tenant_id", "organization_id", "number");

-- CreateIndex
CREATE INDEX "directory_links_tenant_id_user_id_idx" ON "directory_links"("tenant_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "conflicts_tenant_id_organization_id_subject_kind_subject_id_key" ON "conflicts"("tenant_id", "organization_id", "subject_kind", "subject_id", "candidate_user_id");

-- CreateIndex
CREATE UNIQUE INDEX "connections_id_key" ON "connections"("id");

-- CreateIndex
CREATE INDEX "identities_tenant_id_user_id_idx" ON "identities"("tenant_id", "user_id");

-- CreateIndex
CREATE INDEX "entries_tenant_id_organization_id_user_id_idx" ON "entries"("tenant_id", "organization_id", "user_id");

-- CreateIndex
CREATE INDEX "entries_tenant_id_identity_id_idx" ON "entries"("tenant_id", "identity_id");

-- CreateIndex
CREATE UNIQUE INDEX "login_attempts_tenant_id_connection_id_state_key" ON "login_attempts"("tenant_id", "connection_id", "state");

-- CreateIndex
CREATE INDEX "login_attempts_expires_at_idx" ON "login_attempts"("expires_at");

-- CreateIndex
CREATE INDEX "consumed_assertions_expires_at_idx" ON "consumed_assertions"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_token_hash_key" ON "sessions"("token_hash");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "email_codes_tenant_id_email_key_created_at_idx" ON "email_codes"("tenant_id", "email_key", "created_at");

-- CreateIndex
CREATE INDEX "email_codes_expires_at_idx" ON "email_codes"("expires_at");

-- CreateIndex
CREATE INDEX "seat_ledger_tenant_id_organization_id_idx" ON "seat_ledger"("tenant_id", "organization_id");

-- CreateIndex
CREATE UNIQUE INDEX "plans_tenant_id_organization_id_id_key" ON "plans"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE INDEX "held_changes_tenant_id_organization_id_member_id_idx" ON "held_changes"("tenant_id", "organization_id", "member_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_organization_id_id_idx" ON "audit_entries"("tenant_id", "organization_id", "id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_subject_id_id_idx" ON "audit_entries"("tenant_id", "subject_id", "id");

-- CreateIndex
CREATE INDEX "events_tenant_id_organization_id_id_idx" ON "events"("tenant_id", "organization_id", "id");

-- AddForeignKey
ALTER TABLE "tenants" ADD CONSTRAINT "tenants_id_default_organization_id_fkey" FOREIGN KEY ("id", "default_organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "role_sets" ADD CONSTRAINT "role_sets_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_tenant_id_role_set_id_fkey" FOREIGN KEY ("tenant_id", "role_set_id") REFERENCES "role_sets"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_tenant_id_role_set_id_fkey" FOREIGN KEY ("tenant_id", "role_set_id") REFERENCES "role_sets"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_tenant_id_role_set_id_default_role_id_fkey" FOREIGN KEY ("tenant_id", "role_set_id", "default_role_id") REFERENCES "roles"("tenant_id", "role_set_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "organization_aliases" ADD CONSTRAINT "organization_aliases_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "organization_aliases" ADD CONSTRAINT "organization_aliases_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "units" ADD CONSTRAINT "units_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "units" ADD CONSTRAINT "units_tenant_id_organization_id_parent_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "parent_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "units" ADD CONSTRAINT "units_tenant_id_organization_id_leader_member_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "leader_member_id") REFERENCES "members"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "workspaces" ADD CONSTRAINT "workspaces_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "domains" ADD CONSTRAINT "domains_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "join_rules" ADD CONSTRAINT "join_rules_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "join_rules" ADD CONSTRAINT "join_rules_tenant_id_organization_id_domain_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "domain_id") REFERENCES "domains"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "join_rules" ADD CONSTRAINT "join_rules_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "join_rules" ADD CONSTRAINT "join_rules_tenant_id_organization_id_unit_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "unit_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directories" ADD CONSTRAINT "directories_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_tokens" ADD CONSTRAINT "directory_tokens_tenant_id_directory_id_fkey" FOREIGN KEY ("tenant_id", "directory_id") REFERENCES "directories"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_users" ADD CONSTRAINT "directory_users_tenant_id_organization_id_directory_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "directory_id") REFERENCES "directories"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_groups" ADD CONSTRAINT "directory_groups_tenant_id_organization_id_directory_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "directory_id") REFERENCES "directories"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_group_members" ADD CONSTRAINT "directory_group_members_tenant_id_directory_id_group_id_fkey" FOREIGN KEY ("tenant_id", "directory_id", "group_id") REFERENCES "directory_groups"("tenant_id", "directory_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_group_members" ADD CONSTRAINT "directory_group_members_tenant_id_directory_id_directory_u_fkey" FOREIGN KEY ("tenant_id", "directory_id", "directory_user_id") REFERENCES "directory_users"("tenant_id", "directory_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_group_members" ADD CONSTRAINT "directory_group_members_tenant_id_directory_id_child_group_fkey" FOREIGN KEY ("tenant_id", "directory_id", "child_group_id") REFERENCES "directory_groups"("tenant_id", "directory_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_organization_id_directory_id_group_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "directory_id", "group_id") REFERENCES "directory_groups"("tenant_id", "organization_id", "directory_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_organization_id_unit_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "unit_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mappings" ADD CONSTRAINT "mappings_tenant_id_organization_id_workspace_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "workspace_id") REFERENCES "workspaces"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_organization_id_member_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "member_id") REFERENCES "members"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_organization_id_unit_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "unit_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_organization_id_workspace_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "workspace_id") REFERENCES "workspaces"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_links" ADD CONSTRAINT "directory_links_tenant_id_directory_user_id_fkey" FOREIGN KEY ("tenant_id", "directory_user_id") REFERENCES "directory_users"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "directory_links" ADD CONSTRAINT "directory_links_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "conflicts" ADD CONSTRAINT "conflicts_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "conflicts" ADD CONSTRAINT "conflicts_tenant_id_candidate_user_id_fkey" FOREIGN KEY ("tenant_id", "candidate_user_id") REFERENCES "users"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "connections" ADD CONSTRAINT "connections_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "connections" ADD CONSTRAINT "connections_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "identities" ADD CONSTRAINT "identities_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "identities" ADD CONSTRAINT "identities_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "identities" ADD CONSTRAINT "identities_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_identity_id_fkey" FOREIGN KEY ("tenant_id", "identity_id") REFERENCES "identities"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_join_rule_id_fkey" FOREIGN KEY ("tenant_id", "join_rule_id") REFERENCES "join_rules"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_invitation_id_fkey" FOREIGN KEY ("tenant_id", "invitation_id") REFERENCES "invitations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "entries" ADD CONSTRAINT "entries_tenant_id_organization_id_unit_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "unit_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_tenant_id_organization_id_unit_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "unit_id") REFERENCES "units"("tenant_id", "organization_id", "id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "login_attempts" ADD CONSTRAINT "login_attempts_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "consumed_assertions" ADD CONSTRAINT "consumed_assertions_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_identity_id_fkey" FOREIGN KEY ("tenant_id", "identity_id") REFERENCES "identities"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "email_codes" ADD CONSTRAINT "email_codes_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mails" ADD CONSTRAINT "mails_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "seat_ledger" ADD CONSTRAINT "seat_ledger_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "plans" ADD CONSTRAINT "plans_tenant_id_organization_id_fkey" FOREIGN KEY ("tenant_id", "organization_id") REFERENCES "organizations"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "held_changes" ADD CONSTRAINT "held_changes_tenant_id_organization_id_plan_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "plan_id") REFERENCES "plans"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "held_changes" ADD CONSTRAINT "held_changes_tenant_id_organization_id_directory_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "directory_id") REFERENCES "directories"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "held_changes" ADD CONSTRAINT "held_changes_tenant_id_organization_id_member_id_fkey" FOREIGN KEY ("tenant_id", "organization_id", "member_id") REFERENCES "members"("tenant_id", "organization_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;


-- By hand: what Prisma's schema language cannot say.

-- Words
ALTER TABLE "tenants" ADD CHECK ("unknown_organization_policy" IN ('refuse', 'create', 'default'));
ALTER TABLE "tenants" ADD CHECK ("sign_up_policy" IN ('refuse', 'personal', 'default'));
ALTER TABLE "tenants" ADD CHECK ("slug" ~ '^[a-z0-9][a-z0-9-]{0,62}$');
ALTER TABLE "tenants" ADD CHECK ("default_organization_id" IS NOT NULL OR 'default' NOT IN ("unknown_organization_policy", "sign_up_policy"));
ALTER TABLE "roles" ADD CHECK ("scope_kind" IN ('organization', 'unit', 'workspace'));
ALTER TABLE "roles" ADD CHECK (NOT "is_owner" OR "scope_kind" = 'organization');
ALTER TABLE "organizations" ADD CHECK ("kind" IN ('organization', 'group', 'personal'));
ALTER TABLE "organizations" ADD CHECK ("status" IN ('active', 'inactive'));
ALTER TABLE "organizations" ADD CHECK ("seat_policy" IN ('block', 'waitlist'));
ALTER TABLE "organizations" ADD CHECK ("seat_limit" IS NULL OR "seat_limit" >= 0);
ALTER TABLE "organizations" ADD CHECK ("seats_used" >= 0);
ALTER TABLE "organizations" ADD CHECK ("next_member_number" >= 1);
ALTER TABLE "organizations" ADD CHECK ("brake_percent" BETWEEN 0 AND 100 AND "brake_minimum" >= 1);
ALTER TABLE "organizations" ADD CHECK (length(trim("name")) > 0);
ALTER TABLE "units" ADD CHECK ("kind" IN ('department', 'team', 'location'));
ALTER TABLE "units" ADD CHECK ("parent_id" <> "id");
ALTER TABLE "domains" ADD CHECK ("status" IN ('pending', 'verified', 'grace', 'lapsed', 'failed'));
ALTER TABLE "domains" ADD CHECK ("name" ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$');
ALTER TABLE "domains" ADD CHECK (("status" IN ('verified', 'grace')) <= ("verified_at" IS NOT NULL));
ALTER TABLE "directories" ADD CHECK ("provider" IN ('okta', 'entra', 'other'));
ALTER TABLE "directories" ADD CHECK ("state" IN ('pending', 'active', 'paused', 'decommissioned'));
ALTER TABLE "directory_users" ADD CHECK (length("user_name") > 0 AND "generation" >= 1);
ALTER TABLE "directory_users" ADD CHECK ("deleted_at" IS NULL OR NOT "active");
ALTER TABLE "directory_groups" ADD CHECK (length("display_name") > 0 AND "generation" >= 1);
ALTER TABLE "directory_group_members" ADD CHECK (num_nonnulls("directory_user_id", "child_group_id") <= 1);
ALTER TABLE "mappings" ADD CHECK (
  ("source_kind" = 'directory_group' AND num_nonnulls("directory_id", "group_id") = 2 AND num_nonnulls("connection_id", "claim_value") = 0) OR
  ("source_kind" = 'sso_claim' AND num_nonnulls("connection_id", "claim_value") = 2 AND num_nonnulls("directory_id", "group_id") = 0));
ALTER TABLE "mappings" ADD CHECK (num_nonnulls("role_id", "unit_id", "workspace_id") = 1);
ALTER TABLE "users" ADD CHECK (("email" IS NULL) = ("email_key" IS NULL));
ALTER TABLE "members" ADD CHECK ("status" IN ('invited', 'awaiting_approval', 'waitlisted', 'active', 'inactive', 'removed'));
ALTER TABLE "members" ADD CHECK (NOT "seated" OR "status" = 'active');
ALTER TABLE "members" ADD CHECK (("status" = 'waitlisted') = ("waitlisted_at" IS NOT NULL));
ALTER TABLE "members" ADD CHECK ("number" >= 1);
ALTER TABLE "grants" ADD CHECK ("source_kind" IN ('manual', 'invitation', 'directory_group', 'sso_claim', 'domain_rule', 'csv', 'system'));
ALTER TABLE "grants" ADD CHECK (num_nonnulls("role_id", "unit_id", "workspace_id") = 1);
ALTER TABLE "grants" ADD CHECK (("source_kind" = 'system') = ("source_id" IS NULL));
ALTER TABLE "conflicts" ADD CHECK ("subject_kind" IN ('directory_user', 'entry'));
ALTER TABLE "conflicts" ADD CHECK ("state" IN ('open', 'linked', 'separate', 'gone'));
ALTER TABLE "connections" ADD CHECK ("kind" IN ('oidc', 'saml'));
ALTER TABLE "connections" ADD CHECK ("state" IN ('active', 'disabled'));
ALTER TABLE "identities" ADD CHECK ("kind" IN ('oidc', 'saml', 'email'));
ALTER TABLE "identities" ADD CHECK (("kind" = 'email') = ("connection_id" IS NULL));
ALTER TABLE "identities" ADD CHECK (length("subject") > 0);
ALTER TABLE "entries" ADD CHECK (CASE "kind"
  WHEN 'sso' THEN num_nonnulls("identity_id", "connection_id") = 2 AND num_nonnulls("join_rule_id", "invitation_id") = 0
  WHEN 'domain' THEN num_nonnulls("identity_id", "join_rule_id") = 2 AND num_nonnulls("connection_id", "invitation_id") = 0
  WHEN 'personal' THEN "identity_id" IS NOT NULL AND num_nonnulls("connection_id", "join_rule_id", "invitation_id") = 0
  WHEN 'invitation' THEN "invitation_id" IS NOT NULL AND num_nonnulls("connection_id", "join_rule_id") = 0
  WHEN 'manual' THEN num_nonnulls("user_id", "email") >= 1 AND num_nonnulls("identity_id", "connection_id", "join_rule_id", "invitation_id") = 0
  ELSE false END);
ALTER TABLE "invitations" ADD CHECK ("state" IN ('pending', 'accepted', 'cancelled', 'expired'));
ALTER TABLE "email_codes" ADD CHECK ("attempts" BETWEEN 0 AND 5);
ALTER TABLE "seat_ledger" ADD CHECK ("delta" IN (-1, 1));
ALTER TABLE "plans" ADD CHECK ("state" IN ('applied', 'held', 'approved', 'rejected', 'expired'));
ALTER TABLE "held_changes" ADD CHECK ("kind" IN ('deactivate', 'remove', 'demote'));
ALTER TABLE "held_changes" ADD CHECK ("state" IN ('held', 'approved', 'rejected', 'expired', 'superseded'));
ALTER TABLE "reconcile_requests" ADD CHECK ("subject_kind" IN ('directory_user', 'entry', 'member', 'organization'));
ALTER TABLE "audit_entries" ADD CHECK ("door" IN ('scim', 'sso', 'signup', 'admin', 'work'));

-- Uniqueness that depends on state
CREATE UNIQUE INDEX "roles_one_owner" ON "roles" ("tenant_id", "role_set_id") WHERE "is_owner";
CREATE UNIQUE INDEX "units_name" ON "units" ("tenant_id", "organization_id", "kind", "parent_id", lower("name")) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX "workspaces_name" ON "workspaces" ("tenant_id", "organization_id", lower("name"));
CREATE UNIQUE INDEX "workspaces_one_default" ON "workspaces" ("tenant_id", "organization_id") WHERE "is_default";
-- A verified domain belongs to one organization of a tenant.
CREATE UNIQUE INDEX "domains_one_owner" ON "domains" ("tenant_id", "name") WHERE "status" IN ('verified', 'grace');
-- userName is unique per directory without regard to case (RFC 7643 4.1.1); a deleted user's name is free.
CREATE UNIQUE INDEX "directory_users_user_name" ON "directory_users" ("tenant_id", "directory_id", lower("user_name")) WHERE "deleted_at" IS NULL;
-- One externalId is one person of the directory, live or tombstone.
CREATE UNIQUE INDEX "directory_users_external_id" ON "directory_users" ("tenant_id", "directory_id", "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX "directory_groups_display_name" ON "directory_groups" ("tenant_id", "directory_id", lower("display_name")) WHERE "deleted_at" IS NULL;
CREATE UNIQUE INDEX "directory_groups_external_id" ON "directory_groups" ("tenant_id", "directory_id", "external_id") WHERE "external_id" IS NOT NULL AND "deleted_at" IS NULL;
CREATE UNIQUE INDEX "mappings_once" ON "mappings" ("tenant_id", "organization_id", "group_id", "connection_id", "claim_value", "role_id", "unit_id", "workspace_id") NULLS NOT DISTINCT;
CREATE UNIQUE INDEX "grants_once" ON "grants" ("tenant_id", "member_id", "role_id", "unit_id", "workspace_id", "source_kind", "source_id") NULLS NOT DISTINCT;
CREATE UNIQUE INDEX "identities_subject" ON "identities" ("tenant_id", "connection_id", "issuer", "subject") NULLS NOT DISTINCT;
CREATE UNIQUE INDEX "entries_identity_once" ON "entries" ("tenant_id", "organization_id", "identity_id", "kind", "connection_id", "join_rule_id") NULLS NOT DISTINCT WHERE "identity_id" IS NOT NULL;
CREATE UNIQUE INDEX "entries_invitation_once" ON "entries" ("tenant_id", "invitation_id") WHERE "invitation_id" IS NOT NULL;
CREATE UNIQUE INDEX "entries_manual_once" ON "entries" ("tenant_id", "organization_id", "user_id", "role_id", "unit_id") NULLS NOT DISTINCT WHERE "kind" = 'manual' AND "user_id" IS NOT NULL AND "email" IS NULL AND "withdrawn_at" IS NULL;
CREATE UNIQUE INDEX "invitations_one_pending" ON "invitations" ("tenant_id", "organization_id", "email_key") WHERE "state" = 'pending';
CREATE UNIQUE INDEX "held_changes_one_open" ON "held_changes" ("tenant_id", "member_id", "kind") WHERE "state" = 'held';

-- Reading
CREATE INDEX "directory_users_live" ON "directory_users" ("tenant_id", "directory_id", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX "directory_users_email" ON "directory_users" ("tenant_id", "directory_id", lower("email")) WHERE "deleted_at" IS NULL AND "email" IS NOT NULL;
-- Any of a person's addresses: identity providers may probe by emails[type eq "work"].value.
CREATE INDEX "directory_users_emails" ON "directory_users" USING gin ((lower(("attributes" -> 'emails')::text)::jsonb) jsonb_path_ops) WHERE "deleted_at" IS NULL;
CREATE INDEX "directory_group_members_child_group" ON "directory_group_members" ("tenant_id", "child_group_id") WHERE "child_group_id" IS NOT NULL;
CREATE INDEX "reconcile_requests_claim" ON "reconcile_requests" ("tenant_id", "organization_id", "urgent" DESC, "id") WHERE "set_aside_at" IS NULL;
CREATE INDEX "reconcile_requests_subject" ON "reconcile_requests" ("tenant_id", "subject_id");
CREATE INDEX "members_active_role" ON "members" ("tenant_id", "organization_id", "role_id") WHERE "status" = 'active';
CREATE INDEX "grants_system" ON "grants" ("tenant_id", "organization_id") WHERE "source_kind" = 'system';
CREATE INDEX "members_waitlist" ON "members" ("tenant_id", "organization_id", "waitlisted_at", "id") WHERE "status" = 'waitlisted';
CREATE INDEX "mails_pending" ON "mails" ("created_at") WHERE "sent_at" IS NULL AND "failed_at" IS NULL;
CREATE INDEX "domains_check_requested" ON "domains" ("check_requested_at") WHERE "check_requested_at" IS NOT NULL;
CREATE INDEX "plans_removals" ON "plans" ("tenant_id", "organization_id", "created_at") WHERE "removals" <> '{}'::jsonb;
CREATE INDEX "plans_held" ON "plans" ("tenant_id", "organization_id") WHERE "state" = 'held';
CREATE INDEX "conflicts_candidate" ON "conflicts" ("tenant_id", "candidate_user_id") WHERE "state" IN ('open', 'linked');
CREATE INDEX "identities_email" ON "identities" ("tenant_id", lower("email")) WHERE "email" IS NOT NULL;
CREATE INDEX "entries_email" ON "entries" ("tenant_id", "organization_id", lower("email")) WHERE "email" IS NOT NULL;
CREATE INDEX "conflicts_open" ON "conflicts" ("tenant_id", "organization_id") WHERE "state" = 'open';

-- Facts that only grow
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A tenant or organization that is deleted takes its rows along: that DELETE comes from inside another trigger.
  IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "seat_ledger_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "seat_ledger" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "audit_entries_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_entries" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- What the query planner is to think of a tenant, an organization and a directory: that one may be a large part of the
-- table, because one is, and that an organization implies its tenant. By the average of many small ones every index that
-- begins with them seems to lead to a single row, and a check of one foreign key would read a whole organization. (Takes
-- effect with ANALYZE.)
DO $$
DECLARE
  "place" record;
BEGIN
  FOR "place" IN SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND column_name IN ('tenant_id', 'organization_id', 'directory_id')
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET (n_distinct = %s)', "place".table_name, "place".column_name,
      CASE "place".column_name WHEN 'tenant_id' THEN 2 ELSE 5 END);
    IF "place".column_name = 'organization_id' THEN
      EXECUTE format('CREATE STATISTICS %I (dependencies) ON "tenant_id", "organization_id" FROM %I',
        "place".table_name || '_place', "place".table_name);
    END IF;
  END LOOP;
END $$;
