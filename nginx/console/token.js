// What stands in the tokens, for people to look at: the claims of a JWT (RFC 7519) and the contents of an
// Agora token (AccessToken2, "007"). Nothing here checks a signature.

/** @param {string} text Base64 of either alphabet. */
function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/**
 * @param {string} token
 * @returns {{ header: any, claims: any } | null} null where it is no JWT with a subject.
 */
export function decodeJWT(token) {
  try {
    const [header, claims] = token
      .split(".", 2)
      .map((part) => JSON.parse(new TextDecoder().decode(bytesOf(part))));
    return typeof claims.sub === "string" || Number.isInteger(claims.sub)
      ? { header, claims }
      : null;
  } catch {
    return null;
  }
}

/** Little-endian integers and strings with their length in front. */
class Reader {
  #view;
  #offset = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  short() {
    this.#offset += 2;
    return this.#view.getUint16(this.#offset - 2, true);
  }

  int() {
    this.#offset += 4;
    return this.#view.getUint32(this.#offset - 4, true);
  }

  text() {
    const length = this.short();
    const start = this.#view.byteOffset + this.#offset;
    this.#offset += length;
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, start, length));
  }
}

const privilegeNames = [
  "",
  "agora.join",
  "agora.publishAudio",
  "agora.publishVideo",
  "agora.publishData",
];
const rtcService = 1;

/**
 * The signature, then app id, issue, expiry, salt and the services with their privileges, each with the
 * seconds for which it is granted; deflated, in Base64, after "007".
 * @param {string} token
 * @returns {Promise<{ appId: string, channel: string, uid: string, issuedAt: number, expiresAt: number,
 *   privileges: { name: string, expiresAt: number }[] } | null>} Times in milliseconds; null where it is none.
 */
export async function decodeAgoraToken(token) {
  try {
    if (!token.startsWith("007")) return null;
    const packed = new Blob([bytesOf(token.slice(3))]).stream();
    const { DecompressionStream } = /** @type {any} */ (globalThis);
    const stream = packed.pipeThrough(new DecompressionStream("deflate"));
    const reader = new Reader(new Uint8Array(await new Response(stream).arrayBuffer()));
    reader.text(); // the signature
    const appId = reader.text();
    const [issued, lifetime] = [reader.int(), reader.int()];
    reader.int(); // the salt
    if (reader.short() < 1 || reader.short() !== rtcService) return null;
    const expiry = (/** @type {number} */ seconds) => (issued + seconds) * 1000;
    const privileges = [];
    for (let left = reader.short(); left > 0; left--) {
      const name = privilegeNames[reader.short()] ?? "";
      privileges.push({ name, expiresAt: expiry(reader.int()) });
    }
    const [channel, uid] = [reader.text(), reader.text()];
    return {
      appId,
      channel,
      uid,
      issuedAt: issued * 1000,
      expiresAt: expiry(lifetime),
      privileges,
    };
  } catch {
    return null;
  }
}
