-- Finds the call of one of Agora's channels, opens a transaction and locks the call as lock_call does, so that
-- notices of a channel are handled one after the other. The transaction stays open; record_notice or a
-- ROLLBACK ends it.
--
-- Two results: the row of lock_call, and one row with whether the notice has come before, whether the uid is
-- the callee's, and the presence. None where the channel is no call's or the uid no participant's: then nothing
-- is locked.
CREATE PROCEDURE lock_channel_1(
  IN p_channel VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
  -- NULL where the event is about the channel itself.
  IN p_uid     INT UNSIGNED,
  IN p_notice  VARBINARY(255)
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_call CHAR(36) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_caller_uid, v_callee_uid INT UNSIGNED;
  DECLARE v_is_known BOOLEAN DEFAULT FALSE;

  -- The comparison of texts takes no notice of blanks at the end; in Agora they make another channel.
  SELECT id, caller_uid, callee_uid INTO v_call, v_caller_uid, v_callee_uid
  FROM calls WHERE channel_id = p_channel AND LENGTH(channel_id) = LENGTH(p_channel);

  IF v_call IS NOT NULL AND (p_uid IS NULL OR p_uid IN (v_caller_uid, v_callee_uid)) THEN
    CALL lock_call_1(v_call, NULL, TRUE, TRUE, TRUE);
    SELECT COUNT(*) INTO v_is_known FROM agora_notices WHERE notice_id = p_notice;
    SELECT v_is_known, COALESCE(p_uid = v_callee_uid, FALSE), p.caller_sequence, p.caller_joined, p.caller_since,
      p.caller_reason, p.callee_sequence, p.callee_joined, p.callee_since, p.callee_reason, p.destroyed_at,
      p.absent_since
    FROM calls c LEFT JOIN agora_presence p ON p.call_id = c.id WHERE c.id = v_call FOR UPDATE;
  END IF;
END
