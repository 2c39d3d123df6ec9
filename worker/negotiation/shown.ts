// What was shown in a process, round by round. It only grows, but for what is replaced by the same shown anew and for what a ticket has no
// room for; so a claim that was shown is not asked for again while it counts (WG 2011-02-24). Pure; generic over what evidence holds besides.

/** `trust`: the registration of an issuer; absent for this server. Times in seconds since 1970. */
export type Shown = { claim: string; value: string; iss: string; trust?: string; presented_at: number; exp: number }

/** Facts that are kept at most, the newest: as many as a rule may want (worker/policy/check.ts). */
export const MOST_SHOWN = 16

/** Of what a registered issuer says of a claim the newest counts alone; of this server's own proofs each value stands for itself. */
const replaces = (one: Shown, old: Shown): boolean =>
  one.claim === old.claim && one.iss === old.iss && (one.value === old.value || one.trust !== undefined)

/** All that counts from now on, oldest first. */
export const withShown = <T extends Shown>(before: readonly T[], now: readonly T[]): T[] =>
  [...before.filter((old) => !now.some((one) => replaces(one, old))), ...now].slice(-MOST_SHOWN)

/** Whether something came that was not there: another claim, value or issuer, or the same shown later or for longer. */
export const isProgress = (before: readonly Shown[], now: readonly Shown[]): boolean =>
  now.some(
    (one) =>
      !before.some(
        (old) =>
          old.claim === one.claim &&
          old.iss === one.iss &&
          old.value === one.value &&
          old.presented_at >= one.presented_at &&
          old.exp >= one.exp,
      ),
  )
