/**
 * The model calls of a node, over all backends of the current roster. The steps of a call are: a check that the roster allows it,
 * the backend's waiting line, the circuit breaker, the start of the endpoint, and then the tries. Invariants:
 * - A call that has produced text is never retried here, so that no reader gets a text twice.
 * - The caller's signal ends a call at once, in every step. Its place in line goes to the next call.
 * - Keys are read for each call and appear in no error and no log.
 * - A reader may stop at `replied`: by then its call has counted, and its lessons are learnt.
 */
import { randomUUID } from 'node:crypto';
import type { Folders } from '../platform/folders.ts';
import type { Log } from '../platform/log.ts';
import type { Backend } from './backend-schema.ts';
import { Breaker } from './breaker.ts';
import type { ModelEvent, ModelRequest } from './conversation.ts';
import { type Change, hasPictures, simplerDialect } from './dialect.ts';
import { type Endpoint, type EndpointOptions, Endpoints, openClient } from './endpoint.ts';
import { ModelError } from './errors.ts';
import { Lessons } from './lessons.ts';
import { type MenuEntry, menuEntry, needsOptIn } from './menu.ts';
import { modelCall } from './model-call.ts';
import { hasPrice } from './price.ts';
import { type Purse, Unpaid } from './purse.ts';
import { type Part, refusedPart, saysItLacks } from './refused-part.ts';
import { requestBody } from './request-body.ts';
import { wait, waitBeforeRetry } from './retry.ts';
import { chooseBackend, type Need, type Route } from './routing.ts';
import type { Roster } from './schema.ts';
import { Semaphore } from './semaphore.ts';
import { type Answer, type AskRequest, ask } from './structured.ts';
import { leastPrompt } from './tokens.ts';
import { wireError } from './wire-error.ts';
import { worstCaseUsd } from './worst-case-cost.ts';

export interface BackendsOptions {
  /** Returns the current roster. It is called for each model call. */
  readonly roster: () => Roster;
  readonly folders: Folders;
  readonly log: Log;
  /** Called while the file of an embedded model is fetched. */
  readonly onProgress: EndpointOptions['onProgress'];
  /** The environment variables in which keys are looked up. */
  readonly env: NodeJS.ProcessEnv;
  /** Returns the current time in ms. Default: Date.now. */
  readonly now?: () => number;
  /** Returns a number from 0 up to, but not including, 1. Default: Math.random. */
  readonly random?: () => number;
}

/** The state of one backend beyond its roster entry. */
interface Standing {
  readonly line: Semaphore;
  readonly breaker: Breaker;
  /** The roster entry of the failures and the proofs, as JSON. */
  entry: string;
  /** Parts of the protocol that it has accepted. */
  readonly proven: Set<Part>;
  /** The time in ms until which the server has asked to be left alone: one wait for all its callers. */
  askedUntil: number;
}

/** Failures that count against the backend's health. Any other failure shows that the backend answers. */
const unhealthy: ReadonlySet<string> = new Set([
  'unreachable',
  'rate-limited',
  'overloaded',
  'timeout',
  'interrupted',
  'backend-crashed',
]);

export class Backends {
  private readonly options: BackendsOptions;
  private readonly endpoints: Endpoints;
  private readonly standings = new Map<string, Standing>();
  private readonly turns = new Map<string, number>();
  private readonly stopping = new AbortController();
  private readonly random: () => number;
  private readonly lessons: Lessons;
  private readonly now: () => number;

  constructor(options: BackendsOptions) {
    this.options = options;
    this.endpoints = new Endpoints(options);
    this.random = options.random ?? Math.random;
    this.now = options.now ?? Date.now;
    this.lessons = new Lessons(options.folders.state, this.now);
  }

  menu(): MenuEntry[] {
    return Object.entries(this.options.roster().backends).map(([name, backend]) => {
      const { line, breaker } = this.standing(name, backend);
      const load = { inUse: line.inUse, inLine: line.inLine, restMs: breaker.restMs };
      return menuEntry(name, backend, load, this.lessons.learnt(name, backend), this.options.env);
    });
  }

  route(need: Need): Route {
    return chooseBackend(need, this.menu(), this.options.roster().routing, (equals) => {
      const key = equals.join(' ');
      const turn = this.turns.get(key) ?? 0;
      this.turns.set(key, turn + 1);
      return turn;
    });
  }

  /** The worst case of the first request of such a call, in US dollars; null where the backend is unknown or has no price. */
  worstCaseUsd(name: string, request: ModelRequest): number | null {
    const { backends } = this.options.roster();
    const backend = Object.hasOwn(backends, name) ? backends[name] : undefined;
    if (!backend || !hasPrice(backend) || backend.kind === 'command') return null;
    const dialect = this.lessons.dialect(name, backend);
    return worstCaseUsd(
      requestBody(request, { backend: name, model: backend.model, dialect, maxOutput: backend.maxOutput }),
      backend,
    );
  }

  /**
   * Streams one reply.
   * @param purse reserves the money for each request, where the backend has a price. Default: nothing is reserved.
   * @throws ModelError, also when the signal aborts (`aborted`) and after stop() (`stopped`); Unpaid if the purse rejects.
   */
  async *call(name: string, request: ModelRequest, signal: AbortSignal, purse?: Purse): AsyncGenerator<ModelEvent> {
    const any = AbortSignal.any([signal, this.stopping.signal]);
    try {
      yield* this.callInLine(name, request, any, purse);
    } catch (error) {
      if (this.stopping.signal.aborted) throw new ModelError('stopped', name, 'the node is ending', { cause: error });
      if (signal.aborted) throw new ModelError('aborted', name, 'the call was given up', { cause: error });
      throw error;
    }
  }

  /** A value that fits `shape`. @throws the errors of `call`; ModelError `bad-reply` if no reply fits after two repairs. */
  ask<T>(name: string, request: AskRequest<T>, signal: AbortSignal, purse?: Purse): Promise<Answer<T>> {
    return ask(name, request, (it) => this.call(name, it, signal, purse));
  }

  /** Forgets what was learnt about the backend, so that the next call tries the full protocol. */
  forget(name: string): void {
    this.lessons.forget(name);
  }

  /** Ends calls and embedded models. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.endpoints.stop();
  }

  private async *callInLine(
    name: string,
    request: ModelRequest,
    signal: AbortSignal,
    purse: Purse | undefined,
  ): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted();
    const backend = this.backend(name);
    refuseTooLong(name, backend, request);
    const standing = this.standing(name, backend);
    const leave = await standing.line.enter(signal, request.isUrgent);
    const { breaker } = standing;
    let isCounted = false;
    try {
      if (!breaker.allow())
        throw new ModelError('resting', name, 'it has failed several times and is left alone for a while', {
          retryAfterMs: breaker.restMs,
        });
      for await (const event of this.tries(name, backend, standing, request, signal, purse)) {
        if (event.type === 'replied') {
          isCounted = true;
          breaker.succeeded();
        }
        yield event;
      }
    } catch (error) {
      if (!signal.aborted && error instanceof ModelError && error.code !== 'resting') {
        isCounted = true;
        if (unhealthy.has(error.code)) breaker.failed(error.retryAfterMs);
        else breaker.succeeded();
      }
      throw error;
    } finally {
      if (!isCounted) breaker.abandoned();
      leave();
    }
  }

  private async *tries(
    name: string,
    backend: Backend,
    standing: Standing,
    request: ModelRequest,
    signal: AbortSignal,
    purse: Purse | undefined,
  ): AsyncGenerator<ModelEvent> {
    const { limits } = this.options.roster();
    for (let tries = 1; ; tries++) {
      let hasSpoken = false;
      await this.waitAsAsked(name, standing, signal);
      try {
        const events = this.endpoints.with(name, backend, signal, (endpoint) =>
          this.try(name, backend, standing, request, endpoint, signal, purse),
        );
        for await (const event of events) {
          hasSpoken = true;
          yield event;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ModelError && error.retryAfterMs !== undefined)
          standing.askedUntil = Math.max(standing.askedUntil, this.now() + error.retryAfterMs);
        const waitMs = hasSpoken ? null : waitBeforeRetry(error, tries, limits, this.random);
        const code = error instanceof ModelError ? error.code : 'unknown';
        this.options.log.warn({ backend: name, code, try: tries, waitMs, err: String(error) }, 'model call failed');
        if (waitMs === null) throw error;
        await wait(waitMs, signal);
      }
    }
  }

  /** @throws ModelError `rate-limited`, without asking the server, where the wait is longer than any before a try. */
  private async waitAsAsked(name: string, standing: Standing, signal: AbortSignal): Promise<void> {
    const { retryMostMs } = this.options.roster().limits;
    const leftMs = standing.askedUntil - this.now();
    if (leftMs <= 0) return;
    if (leftMs > retryMostMs)
      throw new ModelError('rate-limited', name, `it has asked to be left alone for ${Math.ceil(leftMs / 1000)} s`, {
        retryAfterMs: leftMs,
      });
    await wait(leftMs, signal);
  }

  /** One try. After each refusal of a part of the protocol it uses a simpler dialect. What works and is certain is learnt. */
  private async *try(
    name: string,
    backend: Backend,
    standing: Standing,
    request: ModelRequest,
    endpoint: Endpoint,
    signal: AbortSignal,
    purse: Purse | undefined,
  ): AsyncGenerator<ModelEvent> {
    let sent = 0;
    const client = await openClient(endpoint, this.options.env, () => {
      sent++;
    });
    const { cost, context, maxOutput, pictures } = backend;
    const { silenceMs, callMs } = this.options.roster().limits;
    const wire = { backend: name, isEmbedded: backend.kind === 'embedded', baseUrl: endpoint.baseUrl, key: endpoint.key };
    let dialect = this.lessons.dialect(name, backend);
    if (request.needsPictures && dialect.pictures === 'words') throw takesNoPictures(name);
    let refused: ModelError | null = null;
    const changes = new Map<Part, Change & { readonly why: string }>();
    for (;;) {
      let hasSpoken = false;
      try {
        const call = {
          client,
          requestsSent: () => sent,
          backend: name,
          model: endpoint.model,
          dialect,
          cost,
          context,
          maxOutput,
          pictures,
          purse,
          silenceMs,
          callMs,
          signal,
          newId: this.newId,
        };
        for await (const event of modelCall(request, call)) {
          hasSpoken = true;
          if (event.type === 'replied') {
            if (request.tools?.length && dialect.tools === 'native') standing.proven.add('tools');
            if (request.schema && dialect.structured !== 'prompt') standing.proven.add('structured');
            if (dialect.pictures === 'parts' && hasPictures(request)) standing.proven.add('pictures');
            for (const change of changes.values()) this.learn(name, backend, change);
          }
          yield event;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Unpaid) throw error;
        const failure = wireError(error, wire);
        const isRefusal = (failure.code === 'bad-request' || saysItLacks(error)) && !hasSpoken && backend.kind === 'openai';
        const part = refusedPart(error);
        const tried = new Set(changes.keys());
        const change = isRefusal ? simplerDialect(dialect, backend, request, part, tried, standing.proven) : null;
        // If every simpler dialect is refused too, the dialect was not the cause: the first refusal has the best explanation.
        if (!change) throw isRefusal ? (refused ?? failure) : failure;
        if (change.part === 'pictures' && request.needsPictures) {
          // Where the server said it, later calls need not try.
          if (part.part === 'pictures') this.learn(name, backend, { ...change, why: failure.message });
          throw failure;
        }
        refused ??= failure;
        // The part is refused again, so its change was not what the server wanted.
        const inVain = part.part === null ? undefined : changes.get(part.part);
        if (inVain) changes.set(inVain.part, { ...inVain, isLasting: false });
        changes.set(change.part, { ...change, why: failure.message });
        dialect = { ...dialect, ...change.to };
      }
    }
  }

  private learn(name: string, backend: Backend, { why, ...change }: Change & { readonly why: string }): void {
    this.options.log.info({ backend: name, ...change, why }, 'backend takes a simpler protocol');
    if (change.isLasting) this.lessons.learn(name, backend, change, why);
  }

  /** @throws ModelError `unknown-backend`, `not-opted-in`. */
  private backend(name: string): Backend {
    const { backends } = this.options.roster();
    const backend = Object.hasOwn(backends, name) ? backends[name] : undefined;
    if (!backend)
      throw new ModelError('unknown-backend', name, `it is not in the roster, which has ${Object.keys(backends).join(', ')}`);
    if (needsOptIn(backend))
      throw new ModelError('not-opted-in', name, `its tier is ${backend.tier}, and it is off until \`opt_in\` is true`);
    return backend;
  }

  private standing(name: string, backend: Backend): Standing {
    const entry = JSON.stringify(backend);
    let standing = this.standings.get(name);
    if (!standing) {
      const { roster } = this.options;
      const line = new Semaphore(() => (Object.hasOwn(roster().backends, name) && roster().backends[name]?.concurrency) || 1);
      standing = { line, breaker: new Breaker(() => roster().limits, this.now), entry, proven: new Set(), askedUntil: 0 };
      this.standings.set(name, standing);
    } else if (standing.entry !== entry) {
      // The entry may now name another server: forget the failures and the proofs of the old one.
      standing.entry = entry;
      standing.proven.clear();
      standing.askedUntil = 0;
      standing.breaker.succeeded();
    }
    return standing;
  }

  private readonly newId = (): string => `call_${randomUUID().slice(0, 8)}`;
}

const takesNoPictures = (name: string) =>
  new ModelError('bad-request', name, 'it takes no pictures', { hint: 'Choose a backend with `vision: true` in the roster.' });

function refuseTooLong(name: string, { context }: Backend, request: ModelRequest): void {
  const least = leastPrompt(request);
  if (context !== null && least > context)
    throw new ModelError('context-too-long', name, `the prompt has at least ${least} tokens, its context has only ${context}`);
}
