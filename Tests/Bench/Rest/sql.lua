-- sysbench: the statements of one request one by one, prepared, and nothing else, as a program without stored
-- procedures sends them; on the rows of people.sql. One event is one request.

sysbench.cmdline.options = {
  subject = { "token, history or initiate", "token" },
  people = { "users of the subject", 1000 },
}

local VARCHAR, INT = sysbench.sql.type.VARCHAR, sysbench.sql.type.INT
local CALL = [[c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason,
  c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at,
  c.deadline_at, c.duration_seconds, c.quality_average_score, c.quality_average_loss,
  c.quality_average_rtt, c.quality_samples]]

local connection, number, subject

-- A statement with texts for values; `run(…)` binds and executes it.
local function prepare(sql)
  local statement, parameters = connection:prepare(sql), {}
  for _ in sql:gmatch("?") do parameters[#parameters + 1] = statement:bind_create(VARCHAR, 512) end
  statement:bind_param(unpack(parameters))
  return function(...)
    for index, parameter in ipairs(parameters) do parameter:set((select(index, ...))) end
    local result = statement:execute()
    if result ~= nil then result:free() end -- C's NULL is true by itself
  end
end

local subjects = {}

function subjects.token()
  local find = prepare("SELECT " .. CALL .. " FROM calls c WHERE c.channel_id = ?")
  local record = prepare([[
    INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid, old_token_prefix, request_id,
      issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]])
  local requests = 0
  return function(n)
    local user = "bench-caller-" .. n
    local channel = ("channel%025d"):format(n)
    requests = requests + 1
    find(channel)
    record(user, ("00000000-0000-7000-8000-%012d"):format(n), channel, "generate", "publisher", "4000000000", nil,
      ("%08x%024x"):format(sysbench.tid, requests), os.date("!%Y-%m-%d %H:%M:%S"), os.date("!%Y-%m-%d %H:%M:%S", os.time() + 3600))
  end
end

function subjects.history()
  local page = prepare([[
    SELECT id, call_id, remote_user_id, call_type, status, direction, end_reason, `timestamp`, duration_seconds
    FROM call_history FORCE INDEX (call_history_walk)
    WHERE user_id = ? ORDER BY `timestamp` DESC, id DESC LIMIT 21 OFFSET 0]])
  local total = prepare([[
    SELECT audio_completed + audio_missed + audio_rejected + audio_failed + video_completed + video_missed +
      video_rejected + video_failed FROM call_history_totals WHERE user_id = ?]])
  local people = prepare([[
    SELECT id, COALESCE(full_name, username), avatar_url FROM users
    WHERE id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]])
  return function(n)
    local remote = {}
    for place = 1, 20 do remote[place] = "bench-callee-" .. ((n + place - 1) % sysbench.opt.people + 1) end
    page("bench-caller-" .. n)
    total("bench-caller-" .. n)
    people(unpack(remote))
  end
end

function subjects.initiate()
  local acquaintance = prepare([[
    SELECT p.id, p.name, p.avatar_url, p.accepted, p.blocked, UTC_TIMESTAMP(3) FROM (
      SELECT u.id, COALESCE(u.full_name, u.username) AS name, u.avatar_url,
        EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
          AND UPPER(status) = 'ACCEPTED') AS accepted,
        EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
          AND UPPER(status) = 'BLOCKED') AS blocked
      FROM users u WHERE u.id = ?
      UNION ALL
      SELECT u.id, COALESCE(u.full_name, u.username), u.avatar_url, 0,
        EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact_user_id = ?
          AND UPPER(status) = 'BLOCKED')
      FROM users u WHERE u.id = ?
    ) p]])
  local claim = prepare([[
    UPDATE user_lines FORCE INDEX (PRIMARY) SET call_id = ?, last_event_id = last_event_id + (user_id = ?)
    WHERE user_id IN (?, ?) AND call_id IS NULL]])
  local call = prepare([[
    INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, end_reason, idempotency_key,
      created_at, expires_at, ended_at, counted_hour, deadline_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]])
  local invite = prepare([[
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at)
    SELECT user_id, last_event_id, ?, ?, ?, UTC_TIMESTAMP(3) FROM user_lines WHERE user_id = ?]])
  return function(n)
    local caller, callee = "bench-caller-" .. n, "bench-callee-" .. n
    -- Ids in the order of time with a random rest, as a UUIDv7 has them.
    local now = os.time()
    local id = ("%08x-%04x-7%03x-8%03x-%012x"):format(
      now, n % 65536, math.random(0, 4095), math.random(0, 4095), math.random(0, 2 ^ 46))
    local channel = ("%08x%08x%08x%08x"):format(math.random(0, 2 ^ 31), math.random(0, 2 ^ 31), n, now)
    local created, expires = os.date("!%Y-%m-%d %H:%M:%S.000", now), os.date("!%Y-%m-%d %H:%M:%S.000", now + 60)
    acquaintance(caller, callee, caller, callee, caller, callee, caller, callee)
    connection:query("START TRANSACTION")
    claim(id, callee, caller, callee)
    call(id, channel, caller, callee, "video", "initiating", nil, nil, created, expires, nil, nil, expires)
    invite(id, "call_invitation", ('{"callId":"%s","channelId":"%s","callerId":"%s","callerName":"%s",' ..
      '"callerAvatar":null,"callType":"video","expiresAt":"2026-01-01T00:00:00.000Z"}'):format(
      id, channel, caller, caller), callee)
    connection:query("COMMIT")
  end
end

function thread_init()
  connection = sysbench.sql.driver():connect()
  connection:query("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
  connection:query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
  math.randomseed(sysbench.tid * 7919 + os.time())
  number = sysbench.tid
  subject = subjects[sysbench.opt.subject]()
end

function event()
  subject(number % sysbench.opt.people + 1)
  number = number + sysbench.opt.threads
end

function thread_done() connection:disconnect() end
