-- grant_service: grants a role what the service does and no more: SELECT and INSERT on every table, UPDATE and DELETE unless a
-- trigger refuses them. So append-only tables are so by privilege, too. The owner of the tables calls it after each
-- migration, which may bring new tables and functions; repeating it is harmless. The role must exist: the user who migrates
-- a managed database often cannot create one.
-- Locks other calls of itself out: two would update the same rows of the catalogue.
CREATE FUNCTION grant_service(p_role name, p_function_schema name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_relation record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('grant_service', 3));
  -- Always true of a superuser.
  IF pg_has_role(p_role, current_user, 'MEMBER') THEN
    RAISE EXCEPTION 'role % may do all that %, who owns the tables, may do', p_role, current_user
      USING HINT = 'create a role of its own for the service';
  END IF;

  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), p_role);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', current_schema(), p_role);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', p_function_schema, p_role);
  EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO %I', p_function_schema, p_role);

  FOR v_relation IN
    WITH refused AS (
      -- tgtype has bits: 1 is FOR EACH ROW, 8 DELETE, 16 UPDATE. UPDATE OF some columns leaves the others to be changed.
      SELECT tgrelid, bool_or(tgtype & 16 <> 0 AND tgattr = '') AS update, bool_or(tgtype & 8 <> 0) AS delete
      FROM pg_trigger WHERE tgfoid = 'refuse_change'::regproc AND tgtype & 1 = 0 AND tgqual IS NULL GROUP BY tgrelid)
    SELECT c.oid, c.oid::regclass AS name,
      CASE WHEN relkind = 'v' THEN ARRAY['SELECT'] ELSE ARRAY_REMOVE(ARRAY['SELECT', 'INSERT',
        CASE WHEN refused.update THEN NULL ELSE 'UPDATE' END, CASE WHEN refused.delete THEN NULL ELSE 'DELETE' END], NULL) END AS may
    FROM pg_class c LEFT JOIN refused ON refused.tgrelid = c.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v') AND relname <> '_prisma_migrations'
    ORDER BY c.oid
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', v_relation.name, p_role);
    EXECUTE format('GRANT %s ON %s TO %I', array_to_string(v_relation.may, ', '), v_relation.name, p_role);
    -- The role may have more rights from elsewhere: from PUBLIC, or from a role that it is a member of.
    IF has_table_privilege(p_role, v_relation.oid, 'TRUNCATE')
      OR 'UPDATE' <> ALL (v_relation.may) AND has_any_column_privilege(p_role, v_relation.oid, 'UPDATE')
      OR 'DELETE' <> ALL (v_relation.may) AND has_table_privilege(p_role, v_relation.oid, 'DELETE')
    THEN
      RAISE EXCEPTION 'role % may change % by a right that it has from elsewhere', p_role, v_relation.name
        USING HINT = 'create a role of its own for the service, a member of no other';
    END IF;
  END LOOP;
END $$;
