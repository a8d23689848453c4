-- Roles and rights for subscriber-sync, each with no more than it needs. Run it with psql, as a superuser, before
-- `subscriber-sync migrate`; run it again whenever the mapping changes. It may be run any number of times.
--
--   psql -d app -v table=public.users -v columns='id, email, first_name, title, time_zone, deleted_at' \
--       -f deploy/grants.sql
--
-- Three roles:
--   the owner     owns the users table already. Nothing changes for it.
--   the migrator  logs in for `migrate` and `uninstall` only. It owns the schema subscriber_sync, and is a member of
--                 the owner, because only a table's owner may drop its triggers.
--   the agent     logs in for everything else. It reads the mapped columns, and reads and writes our schema.
--
-- Passwords are yours to set, with \password; certificates, peer and managed identities work as well.
--
--   -v table=SCHEMA.TABLE   the users table; the default is public.users
--   -v columns='A, B'       what the agent may read: the key, the reference, every column in source.fields, those in
--                           source.where, in expressions, and source.updated_at. `subscriber-sync doctor` names one
--                           that is missing, with its GRANT
--   -v migrator=NAME        the default is subscriber_sync_migrator
--   -v agent=NAME           the default is subscriber_sync_agent

\set ON_ERROR_STOP on
\set QUIET on

\if :{?table}
\else
    \set table public.users
\endif
\if :{?migrator}
\else
    \set migrator subscriber_sync_migrator
\endif
\if :{?agent}
\else
    \set agent subscriber_sync_agent
\endif
\if :{?columns}
\else
    \warn 'Say which columns are mapped: -v columns=\'id, email, first_name\''
    -- Ends the script.
    SELECT 1/0 AS "columns is missing";
\endif

SELECT pg_get_userbyid(c.relowner) AS owner, n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = :'table'::regclass \gset

SELECT format('CREATE ROLE %I LOGIN', wanted.name)
FROM (VALUES (:'migrator'), (:'agent')) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.name) \gexec

BEGIN;

-- The migrator: makes the schema, and triggers on the users table.
SELECT format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', current_database(), :'migrator') \gexec
SELECT format('GRANT %I TO %I', :'owner', :'migrator')
WHERE NOT pg_has_role(:'migrator', :'owner', 'MEMBER') \gexec

-- The agent: whatever the migrator makes, now and in later versions.
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'agent') \gexec
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" GRANT USAGE ON SCHEMAS TO :"agent";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"agent";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" GRANT USAGE ON SEQUENCES TO :"agent";
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" GRANT EXECUTE ON FUNCTIONS TO :"agent";

-- The same where the schema is there already, whoever made it.
SELECT to_regnamespace('subscriber_sync') IS NOT NULL AS migrated \gset
\if :migrated
    GRANT USAGE ON SCHEMA subscriber_sync TO :"agent";
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA subscriber_sync TO :"agent";
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA subscriber_sync TO :"agent";
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriber_sync TO :"agent";
\endif

-- The users table: the mapped columns and nothing else, also where there was more before.
GRANT USAGE ON SCHEMA :"schema" TO :"agent";
REVOKE ALL ON :"schema".:"name" FROM :"agent";
GRANT SELECT (:columns) ON :"schema".:"name" TO :"agent";

COMMIT;

-- Not done here, because it is for you to judge:
--
-- Row-level security on the users table. The agent must see every row, or it would take the others for deleted:
--   ALTER ROLE subscriber_sync_agent BYPASSRLS;
--
-- Tables in source.profile and capture.related, read by the agent as well:
--   GRANT SELECT (id, name) ON public.companies TO subscriber_sync_agent;
--
-- With source.updated_at the agent looks for transactions that are still open; without this right it can't see those of
-- other roles, and reads more rows again instead. It also shows the texts of their statements:
--   GRANT pg_read_all_stats TO subscriber_sync_agent;
