// What a test may do to the next D1 operations, or calls of objects, of a wrapped worker (see wrap/faults.ts).

/**
 * `fail`: the statement is not run and an error comes back. `lost`: it is run, and the answer is lost. `hang`: no answer, ever. `late`: it is
 * run when the fault is lifted, and answers then. `mute`: it is run, and nothing is ever said of it.
 * `count` operations are hit, those before `skip` are let through; `match` limits it to statements whose text contains it.
 */
export type Fault = { mode: 'fail' | 'lost' | 'hang' | 'late' | 'mute'; count: number; skip?: number; match?: string }
