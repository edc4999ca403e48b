-- Reads the call on a channel and, where the user may have a token for it, writes the audit row of the token
-- (R3.4, R4.4): one round trip for both. What makes a token rightful is the caller's of this procedure to say:
-- it passes the statuses, and decides on the call that is returned.
--
-- One row: the call's id (NULL: there is none on this channel), its participants, status and ring deadline,
-- whether the audit row was written, and the time.
CREATE PROCEDURE issue_token_1(
  IN p_channel  VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_user     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  -- Of the call, separated by commas. An unanswered call whose time is up is not let through unless
  -- p_expired is true.
  IN p_statuses VARCHAR(128) CHARACTER SET ascii  COLLATE ascii_bin,
  IN p_expired  BOOLEAN,
  -- What the user's uid in the call has to be; NULL for any.
  IN p_uid      INT UNSIGNED,
  IN p_action   VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  -- NULL: no row is written.
  IN p_role     VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_prefix   VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_request  VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_issued   DATETIME(3),
  IN p_expires  DATETIME(3)
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_call CHAR(36) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_channel VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_caller, v_callee VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_deadline DATETIME(3);
  DECLARE v_caller_uid, v_callee_uid, v_uid INT UNSIGNED;
  DECLARE v_written BOOLEAN DEFAULT FALSE;

  SELECT id, channel_id, caller_id, callee_id, status, expires_at, caller_uid, callee_uid
  INTO v_call, v_channel, v_caller, v_callee, v_status, v_deadline, v_caller_uid, v_callee_uid
  FROM calls WHERE channel_id = p_channel;

  SET v_uid = CASE p_user WHEN v_caller THEN v_caller_uid WHEN v_callee THEN v_callee_uid END;
  -- The comparison of texts takes no notice of blanks at the end; in Agora they make another channel. An
  -- unknown uid is that of an imported call.
  IF v_uid IS NOT NULL AND p_role IS NOT NULL AND LENGTH(v_channel) = LENGTH(p_channel)
    AND FIND_IN_SET(v_status, p_statuses) AND COALESCE(p_uid, v_uid) = v_uid
    AND (p_expired OR v_status NOT IN ('initiating', 'ringing') OR v_deadline > UTC_TIMESTAMP(3))
  THEN
    INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid, old_token_prefix, request_id,
      issued_at, expires_at)
    VALUES (p_user, v_call, v_channel, p_action, p_role, v_uid, p_prefix, p_request, p_issued, p_expires)
    -- The row is there where this runs again.
    ON DUPLICATE KEY UPDATE id = token_audit.id;
    SET v_written = TRUE;
  END IF;
  SELECT IF(LENGTH(v_channel) = LENGTH(p_channel), v_call, NULL), v_caller, v_callee, v_status, v_deadline,
    v_written, UTC_TIMESTAMP(3);
END
