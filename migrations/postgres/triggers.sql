-- ENABLE ALWAYS: also where session_replication_role says that triggers do not fire.
CREATE TRIGGER events_next_only BEFORE INSERT ON mledger.events
    FOR EACH ROW EXECUTE FUNCTION mledger.events_next_only();
ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_next_only;
CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON mledger.events
    FOR EACH ROW EXECUTE FUNCTION mledger.events_no_change();
ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_no_change;
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON mledger.events
    FOR EACH STATEMENT EXECUTE FUNCTION mledger.events_no_change();
ALTER TABLE mledger.events ENABLE ALWAYS TRIGGER events_no_truncate;
CREATE TRIGGER objects_redact_only BEFORE UPDATE ON mledger.objects
    FOR EACH ROW EXECUTE FUNCTION mledger.objects_redact_only();
ALTER TABLE mledger.objects ENABLE ALWAYS TRIGGER objects_redact_only;
CREATE TRIGGER objects_no_delete BEFORE DELETE ON mledger.objects
    FOR EACH ROW EXECUTE FUNCTION mledger.objects_no_delete();
ALTER TABLE mledger.objects ENABLE ALWAYS TRIGGER objects_no_delete;
CREATE TRIGGER objects_no_truncate BEFORE TRUNCATE ON mledger.objects
    FOR EACH STATEMENT EXECUTE FUNCTION mledger.objects_no_delete();
ALTER TABLE mledger.objects ENABLE ALWAYS TRIGGER objects_no_truncate;
CREATE TRIGGER lease_no_delete BEFORE DELETE ON mledger.lease
    FOR EACH ROW EXECUTE FUNCTION mledger.lease_no_delete();
ALTER TABLE mledger.lease ENABLE ALWAYS TRIGGER lease_no_delete;
CREATE TRIGGER lease_no_truncate BEFORE TRUNCATE ON mledger.lease
    FOR EACH STATEMENT EXECUTE FUNCTION mledger.lease_no_delete();
ALTER TABLE mledger.lease ENABLE ALWAYS TRIGGER lease_no_truncate;
