-- Opens a transaction, locks the lines of a call's participants in the order of their ids and then the call,
-- and returns what the rules need to decide on: the call, both lines and the time. The transaction stays
-- open; write_call or a ROLLBACK ends it.
--
-- One row, or none where there is no such call, or where something of it is locked elsewhere and p_waits is
-- false. is_locked is 0 where p_user takes no part in the call: then nothing is locked.
CREATE PROCEDURE lock_call_1(
  IN p_call    CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin,
  -- NULL where it is no user who acts.
  IN p_user    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_waits   BOOLEAN,
  -- Whether the quality averages are those of the samples so far, and not those that the end wrote.
  IN p_quality BOOLEAN,
  -- False where the transaction is open already.
  IN p_begins  BOOLEAN
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_caller, v_callee VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_caller_call, v_callee_call CHAR(36) CHARACTER SET ascii COLLATE ascii_bin;
  DECLARE v_caller_last, v_callee_last BIGINT UNSIGNED;
  DECLARE v_caller_seen, v_callee_seen DATETIME(3);
  DECLARE v_lines INT DEFAULT 0;
  DECLARE v_existing INT DEFAULT 2;
  DECLARE v_samples INT UNSIGNED;
  DECLARE v_score, v_loss, v_rtt DOUBLE;
  DECLARE v_takes_part BOOLEAN;

  SELECT caller_id, callee_id INTO v_caller, v_callee FROM calls WHERE id = p_call;
  SET v_takes_part = p_user IS NULL OR p_user IN (v_caller, v_callee);

  IF v_caller IS NOT NULL AND v_takes_part THEN
    IF p_begins THEN START TRANSACTION; END IF;

    -- In the order of the primary key, which is that of the ids.
    IF p_waits THEN
      SELECT COUNT(*), MAX(IF(user_id = v_caller, call_id, NULL)), MAX(IF(user_id = v_caller, last_event_id, NULL)),
        MAX(IF(user_id = v_caller, seen_at, NULL)), MAX(IF(user_id = v_callee, call_id, NULL)),
        MAX(IF(user_id = v_callee, last_event_id, NULL)), MAX(IF(user_id = v_callee, seen_at, NULL))
      INTO v_lines, v_caller_call, v_caller_last, v_caller_seen, v_callee_call, v_callee_last, v_callee_seen
      FROM user_lines FORCE INDEX (PRIMARY) WHERE user_id IN (v_caller, v_callee) FOR UPDATE;
    ELSE
      SELECT COUNT(*), MAX(IF(user_id = v_caller, call_id, NULL)), MAX(IF(user_id = v_caller, last_event_id, NULL)),
        MAX(IF(user_id = v_caller, seen_at, NULL)), MAX(IF(user_id = v_callee, call_id, NULL)),
        MAX(IF(user_id = v_callee, last_event_id, NULL)), MAX(IF(user_id = v_callee, seen_at, NULL))
      INTO v_lines, v_caller_call, v_caller_last, v_caller_seen, v_callee_call, v_callee_last, v_callee_seen
      FROM user_lines FORCE INDEX (PRIMARY) WHERE user_id IN (v_caller, v_callee) FOR UPDATE SKIP LOCKED;
    END IF;

    -- A line that has been deleted is made anew; one that is locked elsewhere is there. A statement of its
    -- own: within IF the query would wait for locks.
    IF v_lines < 2 THEN
      SELECT COUNT(*) INTO v_existing FROM user_lines WHERE user_id IN (v_caller, v_callee);
    END IF;
    IF v_existing < 2 THEN
      CALL make_lines_1(v_caller, v_callee);
      SELECT COUNT(*), MAX(IF(user_id = v_caller, call_id, NULL)), MAX(IF(user_id = v_caller, last_event_id, NULL)),
        MAX(IF(user_id = v_caller, seen_at, NULL)), MAX(IF(user_id = v_callee, call_id, NULL)),
        MAX(IF(user_id = v_callee, last_event_id, NULL)), MAX(IF(user_id = v_callee, seen_at, NULL))
      INTO v_lines, v_caller_call, v_caller_last, v_caller_seen, v_callee_call, v_callee_last, v_callee_seen
      FROM user_lines FORCE INDEX (PRIMARY) WHERE user_id IN (v_caller, v_callee) FOR UPDATE;
    END IF;

    IF p_quality THEN
      -- Plain means of what was given. A DOUBLE, because the mean of integers is rounded to four decimals.
      SELECT COUNT(*), AVG(CASE network_quality WHEN 'excellent' THEN 5e0 WHEN 'good' THEN 4e0
          WHEN 'poor' THEN 3e0 WHEN 'bad' THEN 2e0 WHEN 'veryBad' THEN 1e0 END),
        AVG(packet_loss_rate), AVG(round_trip_time)
      INTO v_samples, v_score, v_loss, v_rtt
      FROM call_quality_metrics WHERE call_id = p_call;
    END IF;

    IF v_lines = 2 THEN
      IF p_waits THEN
        SELECT c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason,
          c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at,
          c.deadline_at, c.duration_seconds,
          IF(p_quality AND c.deadline_at IS NOT NULL, v_score, c.quality_average_score),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_loss, c.quality_average_loss),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_rtt, c.quality_average_rtt),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_samples, c.quality_samples),
          c.invited, UTC_TIMESTAMP(3), 1 AS is_locked, v_caller_call, v_caller_last, v_caller_seen, v_callee_call,
          v_callee_last, v_callee_seen
        FROM calls c WHERE c.id = p_call FOR UPDATE;
      ELSE
        SELECT c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason,
          c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at,
          c.deadline_at, c.duration_seconds,
          IF(p_quality AND c.deadline_at IS NOT NULL, v_score, c.quality_average_score),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_loss, c.quality_average_loss),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_rtt, c.quality_average_rtt),
          IF(p_quality AND c.deadline_at IS NOT NULL, v_samples, c.quality_samples),
          c.invited, UTC_TIMESTAMP(3), 1 AS is_locked, v_caller_call, v_caller_last, v_caller_seen, v_callee_call,
          v_callee_last, v_callee_seen
        FROM calls c WHERE c.id = p_call FOR UPDATE SKIP LOCKED;
      END IF;
    END IF;
  ELSEIF v_caller IS NOT NULL THEN
    SELECT c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason,
      c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at,
      c.deadline_at, c.duration_seconds, c.quality_average_score, c.quality_average_loss,
      c.quality_average_rtt, c.quality_samples,
      c.invited, UTC_TIMESTAMP(3), 0 AS is_locked, v_caller_call, v_caller_last, v_caller_seen, v_callee_call,
      v_callee_last, v_callee_seen
    FROM calls c WHERE c.id = p_call;
  END IF;
END
