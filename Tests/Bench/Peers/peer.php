<?php
// Three operations of the API as a PHP-FPM application would have them: the JWT verified, the same rate limit
// in Redis, the same rows in the same tables, the notification after the commit, the same answer. Leaves out
// what the worker does besides: the log line, and the rules for what is not well-formed.

declare(strict_types=1);

final class Refusal extends Exception {}

function base64url(string $text): string|false
{
    return base64_decode(strtr($text, '-_', '+/'), true);
}

/** The user of `Authorization: Bearer`, HS256. */
function user(): string
{
    $header = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
    $parts = explode('.', substr($header, 7));
    if (strncmp($header, 'Bearer ', 7) !== 0 || count($parts) !== 3) {
        throw new Refusal('no token', 401);
    }
    $head = json_decode((string) base64url($parts[0]), true);
    $claims = json_decode((string) base64url($parts[1]), true);
    $signature = hash_hmac('sha256', "$parts[0].$parts[1]", $_SERVER['JWT_SECRET'], true);
    if (($head['alg'] ?? '') !== 'HS256' || !hash_equals($signature, (string) base64url($parts[2]))
        || !is_string($claims['sub'] ?? null) || ($claims['exp'] ?? 0) < time() - 30) {
        throw new Refusal('bad token', 401);
    }
    return $claims['sub'];
}

/** A persistent connection; what initialises it is sent once in its life. */
function database(): PDO
{
    return new PDO(
        "mysql:unix_socket={$_SERVER['MYSQL_SOCKET']};dbname={$_SERVER['MYSQL_DATABASE']};charset=utf8mb4",
        $_SERVER['MYSQL_USER'], $_SERVER['MYSQL_PASSWORD'],
        [
            PDO::ATTR_PERSISTENT => true,
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            // One round trip a statement; a server-side prepare does not outlive the request.
            PDO::ATTR_EMULATE_PREPARES => ($_SERVER['PEER_EMULATE'] ?? '1') === '1',
            PDO::ATTR_STRINGIFY_FETCHES => false,
            PDO::MYSQL_ATTR_FOUND_ROWS => true,
            PDO::MYSQL_ATTR_INIT_COMMAND => "SET SESSION time_zone = '+00:00', "
                . "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', tx_isolation = 'READ-COMMITTED', "
                . 'innodb_lock_wait_timeout = 5',
        ]
    );
}

/** A persistent connection. */
function redis(): Redis
{
    static $redis = null;
    if ($redis === null) {
        $url = parse_url($_SERVER['REDIS_URL']);
        $redis = new Redis();
        $redis->pconnect($url['host'], $url['port'], 0.25);
    }
    return $redis;
}

// The worker's own script: a list of times, oldest first.
const LIMIT_SCRIPT = <<<'LUA'
    local t = redis.call('TIME')
    local now = t[1] * 1000000 + t[2]
    local limit = tonumber(ARGV[1])
    local window = tonumber(ARGV[2])
    local first = redis.call('LINDEX', KEYS[1], 0)
    while first and tonumber(first) <= now - window do
      redis.call('LPOP', KEYS[1])
      first = redis.call('LINDEX', KEYS[1], 0)
    end
    local used = redis.call('LLEN', KEYS[1])
    if used >= limit then
      local blocking = redis.call('LINDEX', KEYS[1], used - limit)
      return {0, 0, tonumber(blocking) + window - now}
    end
    redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
    redis.call('PEXPIRE', KEYS[1], window / 1000)
    return {1, limit - used - 1, (tonumber(first) or now) + window - now}
    LUA;

/** Counts the request, in a window of 60 s. */
function limit(string $name, string $user): void
{
    static $digest = null;
    $digest ??= sha1(LIMIT_SCRIPT);
    $arguments = ["chattrix:limit:$name:$user", '1000000000', '60000000'];
    $reply = redis()->evalSha($digest, $arguments, 1) ?: redis()->eval(LIMIT_SCRIPT, $arguments, 1);
    if ($reply[0] !== 1) {
        throw new Refusal('too many', 429);
    }
    header('RateLimit-Limit: 1000000000');
    header("RateLimit-Remaining: {$reply[1]}");
    header('RateLimit-Reset: ' . (int) ceil($reply[2] / 1e6));
}

function run(PDO $database, string $sql, array $values): PDOStatement
{
    $statement = $database->prepare($sql);
    $statement->execute($values);
    return $statement;
}

function iso8601(float $seconds): string
{
    return gmdate('Y-m-d\TH:i:s', (int) $seconds) . sprintf('.%03dZ', (int) round(fmod($seconds, 1) * 1000));
}

/** `2026-01-02 03:04:05.678` of MySQL as ISO 8601. */
function wire(?string $time): ?string
{
    return $time === null ? null : str_replace(' ', 'T', $time) . 'Z';
}

function uid(string $user): int
{
    if (preg_match('/^[1-9][0-9]{0,9}$/', $user) && (int) $user <= 0x7FFFFFFF) {
        return (int) $user;
    }
    return unpack('N', hash('sha256', $user, true))[1] | 0x80000000;
}

function packed(string $text): string
{
    return pack('v', strlen($text)) . $text;
}

/** An AccessToken2 for one channel and user. */
function agoraToken(string $channel, int $uid, array $privileges, int $issuedAt, int $seconds): string
{
    $salt = random_int(0, 0xFFFFFFFF);
    $content = packed($_SERVER['AGORA_APP_ID']) . pack('VVVvvv', $issuedAt, $seconds, $salt, 1, 1, count($privileges));
    foreach ($privileges as $privilege) {
        $content .= pack('vV', $privilege, $seconds);
    }
    $content .= packed($channel) . packed((string) $uid);
    $byTime = hash_hmac('sha256', $_SERVER['AGORA_APP_CERTIFICATE'], pack('V', $issuedAt), true);
    $key = hash_hmac('sha256', $byTime, pack('V', $salt), true);
    return '007' . base64_encode(gzcompress(packed(hash_hmac('sha256', $content, $key, true)) . $content));
}

const CALL_COLUMNS = 'c.id, c.channel_id, c.caller_id, c.callee_id, c.call_type, c.status, c.end_reason, '
    . 'c.accepted_device, c.created_at, c.expires_at, c.accepted_at, c.connected_at, c.ended_at, c.deadline_at, '
    . 'c.duration_seconds, c.quality_average_score, c.quality_average_loss, c.quality_average_rtt, c.quality_samples';

function generate(string $user, array $body): array
{
    $database = database();
    $channel = $body['channelId'];
    $call = run($database, 'SELECT ' . CALL_COLUMNS . ' FROM calls c WHERE c.channel_id = ?', [$channel])->fetch(PDO::FETCH_ASSOC);
    if (!$call || !in_array($user, [$call['caller_id'], $call['callee_id']], true) || $call['deadline_at'] === null) {
        throw new Refusal('no part', 403);
    }
    $seconds = $body['expirationSeconds'] ?? 3600;
    $role = $body['role'] ?? 'publisher';
    [$issuedAt, $uid] = [time(), uid($user)];
    $token = agoraToken($channel, $uid, $role === 'publisher' ? [1, 2, 3, 4] : [1], $issuedAt, $seconds);
    run($database,
        'INSERT INTO token_audit (user_id, call_id, channel_id, action, role, uid, old_token_prefix, request_id, '
        . 'issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [$user, $call['id'], $channel, 'generate', $role, $uid, null, $_SERVER['REQUEST_ID'],
            gmdate('Y-m-d H:i:s', $issuedAt), gmdate('Y-m-d H:i:s', $issuedAt + $seconds)]);
    return ['token' => $token, 'channelId' => $channel, 'uid' => $uid, 'role' => $role,
        'expiresAt' => iso8601($issuedAt + $seconds)];
}

function uuid7(float $now): string
{
    $bytes = substr(pack('J', (int) ($now * 1000)), 2) . random_bytes(10);
    $bytes[6] = chr(ord($bytes[6]) & 0x0F | 0x70);
    $bytes[8] = chr(ord($bytes[8]) & 0x3F | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

const ACQUAINTANCE = "SELECT p.id, p.name, p.avatar_url, p.accepted, p.blocked, UTC_TIMESTAMP(3) AS now FROM (
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
) p";

function initiate(string $user, array $body): array
{
    $database = database();
    $callee = $body['calleeId'];
    $people = [];
    $isContact = $isBlocked = false;
    $values = [$user, $callee, $user, $callee, $user, $callee, $user, $callee];
    foreach (run($database, ACQUAINTANCE, $values)->fetchAll(PDO::FETCH_ASSOC) as $row) {
        $people[$row['id']] = $row;
        $isContact = $isContact || $row['accepted'];
        $isBlocked = $isBlocked || $row['blocked'];
    }
    if (!isset($people[$user], $people[$callee]) || !$isContact || $isBlocked) {
        throw new Refusal('not contacts', 403);
    }
    $now = (float) (new DateTime($people[$user]['now'] . 'Z'))->format('U.v');
    [$id, $channel] = [uuid7($now), bin2hex(random_bytes(16))];
    $createdAt = $people[$user]['now'];
    $expiresAt = gmdate('Y-m-d H:i:s', (int) $now + 60) . substr($createdAt, 19);
    $call = ['callId' => $id, 'channelId' => $channel, 'callerId' => $user, 'callerName' => $people[$user]['name'],
        'callerAvatar' => $people[$user]['avatar_url']];
    $database->beginTransaction();
    $claimed = run($database,
        'UPDATE user_lines FORCE INDEX (PRIMARY) SET call_id = ?, last_event_id = last_event_id + (user_id = ?) '
        . 'WHERE user_id IN (?, ?) AND call_id IS NULL',
        [$id, $callee, $user, $callee])->rowCount();
    if ($claimed !== 2) {
        // Users who have never called have no lines yet.
        $made = run($database, 'INSERT IGNORE INTO user_lines (user_id) VALUES (?), (?)', [$user, $callee])->rowCount();
        $claimed += $made === 0 ? 0 : run($database,
            'UPDATE user_lines FORCE INDEX (PRIMARY) SET call_id = ?, last_event_id = last_event_id + (user_id = ?) '
            . 'WHERE user_id IN (?, ?) AND call_id IS NULL',
            [$id, $callee, $user, $callee])->rowCount();
    }
    if ($claimed !== 2) {
        $database->rollBack();
        throw new Refusal('busy', 409);
    }
    run($database,
        'INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, end_reason, idempotency_key, '
        . 'created_at, expires_at, ended_at, counted_hour, deadline_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [$id, $channel, $user, $callee, $body['callType'], 'initiating', null, null, $createdAt, $expiresAt, null,
            null, $expiresAt]);
    run($database,
        'INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at) '
        . 'SELECT user_id, last_event_id, ?, ?, ?, UTC_TIMESTAMP(3) FROM user_lines WHERE user_id = ?',
        [$id, 'call_invitation',
            json_encode($call + ['callType' => $body['callType'], 'expiresAt' => wire($expiresAt)]), $callee]);
    $database->commit();
    redis()->publish('chattrix:user:' . $callee, '1');
    http_response_code(201);
    return $call + ['calleeId' => $callee, 'calleeName' => $people[$callee]['name'],
        'calleeAvatar' => $people[$callee]['avatar_url'], 'callType' => $body['callType'], 'status' => 'initiating',
        'createdAt' => wire($createdAt), 'expiresAt' => wire($expiresAt)];
}

function history(string $user): array
{
    $database = database();
    [$page, $limit] = [max(1, (int) ($_GET['page'] ?? 1)), min(100, (int) ($_GET['limit'] ?? 20))];
    $offset = ($page - 1) * $limit;
    $rows = run($database,
        'SELECT id, call_id, remote_user_id, call_type, status, direction, end_reason, `timestamp`, duration_seconds '
        . 'FROM call_history FORCE INDEX (call_history_walk) WHERE user_id = ? '
        . 'ORDER BY `timestamp` DESC, id DESC LIMIT ' . ($limit + 1) . " OFFSET $offset", [$user])->fetchAll(PDO::FETCH_ASSOC);
    $total = (int) run($database,
        'SELECT audio_completed + audio_missed + audio_rejected + audio_failed + video_completed + video_missed + '
        . 'video_rejected + video_failed FROM call_history_totals WHERE user_id = ?', [$user])->fetchColumn();
    $hasMore = count($rows) > $limit;
    $rows = array_slice($rows, 0, $limit);
    $ids = array_values(array_unique(array_column($rows, 'remote_user_id')));
    $people = $ids === [] ? [] : run($database,
        'SELECT id, COALESCE(full_name, username) AS name, avatar_url FROM users WHERE id IN ('
        . implode(', ', array_fill(0, count($ids), '?')) . ')', $ids)->fetchAll(PDO::FETCH_UNIQUE | PDO::FETCH_ASSOC);
    $calls = [];
    foreach ($rows as $row) {
        $calls[] = ['id' => (string) $row['id'], 'callId' => $row['call_id'], 'remoteUserId' => $row['remote_user_id'],
            'remoteUserName' => $people[$row['remote_user_id']]['name'] ?? null,
            'remoteUserAvatar' => $people[$row['remote_user_id']]['avatar_url'] ?? null,
            'callType' => $row['call_type'], 'status' => $row['status'], 'direction' => $row['direction'],
            'endReason' => $row['end_reason'], 'timestamp' => wire($row['timestamp']),
            'durationSeconds' => (int) $row['duration_seconds']];
    }
    $last = end($rows);
    $next = $hasMore ? round((new DateTime($last['timestamp'] . 'Z'))->format('U.v') * 1000) . ".{$last['id']}" : null;
    return ['calls' => $calls, 'pagination' => ['page' => $page, 'limit' => $limit, 'total' => $total,
        'totalPages' => intdiv($total + $limit - 1, $limit), 'hasNextPage' => $hasMore, 'hasPrevPage' => $page > 1,
        'nextCursor' => $next]];
}

try {
    $path = strtok($_SERVER['REQUEST_URI'], '?');
    $user = user();
    $body = $_SERVER['REQUEST_METHOD'] === 'POST' ? json_decode(file_get_contents('php://input'), true) : [];
    limit(['/peer/agora/token/generate' => 'token-generate', '/peer/calls/initiate' => 'call-initiate',
        '/peer/calls/history' => 'call-history'][$path] ?? 'other', $user);
    $data = match ($path) {
        '/peer/agora/token/generate' => generate($user, $body),
        '/peer/calls/initiate' => initiate($user, $body),
        '/peer/calls/history' => history($user),
        default => throw new Refusal('no route', 404),
    };
    $answer = ['success' => true, 'data' => $data, 'requestId' => $_SERVER['REQUEST_ID']];
} catch (Refusal $refusal) {
    http_response_code($refusal->getCode());
    $answer = ['success' => false, 'error' => ['message' => $refusal->getMessage()],
        'requestId' => $_SERVER['REQUEST_ID']];
}
header('Content-Type: application/json');
header("X-Request-Id: {$_SERVER['REQUEST_ID']}");
header('Cache-Control: no-store');
echo json_encode($answer, JSON_UNESCAPED_SLASHES);
