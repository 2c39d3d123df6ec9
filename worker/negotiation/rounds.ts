// How far a process of asking and showing has come (UMA Grant 3.3.6): rounds at all, and rounds in a row that brought nothing. It is sealed
// into the ticket, so that nothing is stored for it. Pure; what a round brought is told by shown.ts and the ticket grant.

/** `generation`: renewals of the ticket. `idle`: rounds since something new was shown or said. */
export type Rounds = { generation: number; idle: number }

export const BEGINNING: Rounds = { generation: 0, idle: 0 }

/** DESIGN decision 6: rounds without progress, and rounds at all, after which a process ends. */
const [MOST_IDLE, MOST_ROUNDS] = [3, 64]

/** `isNew`: something came that was not there. `isPoll`: the client asked whether the owner has answered. */
export type Round = { isNew: boolean; isPoll: boolean }

/** Invariant: `generation` never falls, and only what is new brings `idle` back to nothing. Polling goes on for days; the request bounds it. */
export function afterRound({ generation, idle }: Rounds, { isNew, isPoll }: Round): Rounds {
  const step = isPoll ? 0 : 1
  return { generation: generation + step, idle: isNew ? 0 : idle + step }
}

/** Whether nothing more is asked for: the next answer is final. */
export const isOver = ({ generation, idle }: Rounds): boolean => idle >= MOST_IDLE || generation >= MOST_ROUNDS

/** DESIGN decision 6: a client that was asked, and comes back with nothing new, gets what holds already. */
export const wantsWhatItHas = ({ idle }: Rounds, isNew: boolean): boolean => idle > 0 && !isNew
