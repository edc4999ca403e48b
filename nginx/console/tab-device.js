// The device's name of one phone in one tab. A tab that is duplicated takes a copy of what the tab has stored along,
// the device's name too: of two tabs with one name, the second needs another, or both would take the same calls
// for theirs (contract 7.6).

/**
 * How long to wait for the name. A page that is loaded anew has its predecessor's, which is about to go, however busy
 * the device is (Navigation Timing, "reload"); any other one may be a copy, whose original stays.
 */
function patienceMilliseconds() {
  const [navigation] = performance.getEntriesByType("navigation");
  const isReloaded =
    navigation instanceof PerformanceNavigationTiming && navigation.type === "reload";
  return isReloaded ? 15_000 : 2_000;
}

/**
 * Holds a lock on the name for as long as the page lives (Web Locks API).
 * @param {string} deviceId
 * @returns {Promise<boolean>} Whether no other tab has it.
 */
function claim(deviceId) {
  if (!navigator.locks) return Promise.resolve(true);
  const patience = new AbortController();
  setTimeout(() => patience.abort(), patienceMilliseconds());
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      return new Promise(() => {});
    };
    navigator.locks
      .request(`chattrix.device.${deviceId}`, { signal: patience.signal }, held)
      .catch(() => resolve(false));
  });
}

/**
 * @param {{ get: () => any, set: (values: object) => void }} store What survives a reload.
 * @returns {Promise<string>} The name that this tab had before, or a new one.
 */
export async function deviceOfTab(store) {
  const { deviceId } = store.get();
  if (deviceId && (await claim(deviceId))) return deviceId;
  const fresh = crypto.randomUUID();
  await claim(fresh);
  store.set({ deviceId: fresh, callId: undefined });
  return fresh;
}
