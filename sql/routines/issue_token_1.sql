-- Reads the call on a channel and, where the user may have a token for it, writes the audit row of the token
-- (R3.4, R4.4): one round trip for both. What makes a token rightful is the caller's of this procedure to say:
-- it passes the statuses, and decides on the call that is returned.
--
-- The first result is the call, or nothing; the second one row: how many audit rows were written (0 or 1), and the time.
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
  SELECT c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason,
    c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at,
    c.deadline_at, c.duration_seconds, c.quality_average_score, c.quality_average_loss,
    c.quality_average_rtt, c.quality_samples
  FROM calls c WHERE c.channel_id = p_channel;

  INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid, old_token_prefix, request_id,
    issued_at, expires_at)
    SELECT p_user, c.id, c.channel_id, p_action, p_role, IF(c.caller_id = p_user, c.caller_uid, c.callee_uid),
      p_prefix, p_request, p_issued, p_expires
    FROM calls c
    -- The comparison of texts takes no notice of blanks at the end; in Agora they make another channel.
    WHERE c.channel_id = p_channel AND CAST(c.channel_id AS BINARY) = CAST(p_channel AS BINARY)
      AND p_user IN (c.caller_id, c.callee_id) AND p_role IS NOT NULL AND FIND_IN_SET(c.status, p_statuses)
      AND (p_expired OR c.status NOT IN ('initiating', 'ringing') OR c.expires_at > UTC_TIMESTAMP(3))
      AND COALESCE(p_uid, IF(c.caller_id = p_user, c.caller_uid, c.callee_uid))
        = IF(c.caller_id = p_user, c.caller_uid, c.callee_uid);
  SELECT ROW_COUNT(), UTC_TIMESTAMP(3);
END
