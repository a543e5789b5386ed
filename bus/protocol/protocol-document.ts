/**
 * The files of docs/protocol: an AsyncAPI 3 document for the namespace `cox`, and a JSON Schema for each message.
 * `npm run docs:protocol` writes them; a test fails if they do not match the schemas.
 */

import { serviceVersion } from '../api-service.ts';
import { examples } from './protocol-examples.ts';
import { type JsonSchema, type messages, protocolSchemas, replyName, requestName, verbs } from './protocol-schemas.ts';

/** @returns the content of each file, by its path relative to docs/protocol. */
export function protocolFiles(): Record<string, string> {
  const text = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const schemas = Object.entries(protocolSchemas((name) => `./${name}.json`));
  return {
    'asyncapi.json': text(asyncApi()),
    ...Object.fromEntries(
      schemas.map(([name, { $schema, ...schema }]) => [`schemas/${name}.json`, text({ $schema, title: name, ...schema })]),
    ),
  };
}

const task = {
  root: { description: 'The tree: the first part of a task id.' },
  path: { description: 'The place in the tree: 0 for the goal, 4 for its 4th sub-task, 4-1 for the first that 4 spawned.' },
};
const type = { type: { description: 'The kind of agent: supervisor, or a kind that the roster defines.' } };

interface Subject {
  readonly address: string;
  readonly parameters: object;
  readonly messages: readonly (keyof typeof messages | 'PlainText')[];
  readonly description: string;
  /** Whether clients send or receive on the subject. Missing for subjects that only workers use. */
  readonly client?: 'send' | 'receive';
}

const subjects: Readonly<Record<string, Subject>> = {
  steering: {
    address: 'cox.tasks.{root}.{path}.steering',
    parameters: task,
    messages: ['SteeringMessage', 'PlainText', 'CallOutcome'],
    description:
      'Messages from operators to a task, kept on the log stream. A task takes them in the order of the stream. Plain text is a correction; a JSON object is a typed message. Only a worker that lost the task can send a valid CallOutcome.',
    client: 'send',
  },
  status: {
    address: 'cox.tasks.{root}.{path}.status',
    parameters: task,
    messages: ['Status'],
    description: 'One message for each commit of a task, with the receipts of its steers. Kept on the log stream.',
    client: 'receive',
  },
  result: {
    address: 'cox.tasks.{root}.{path}.result',
    parameters: task,
    messages: ['Result'],
    description: 'The one final output of a task, kept on the log stream.',
    client: 'receive',
  },
  live: {
    address: 'cox.live.{root}.{path}',
    parameters: task,
    messages: ['Live'],
    description: 'Model tokens and tool output as they come. No stream stores them.',
    client: 'receive',
  },
  inspected: {
    address: 'cox.inspect.{root}.{path}',
    parameters: task,
    messages: ['Inspected'],
    description:
      'What the machine of a task does, only while somebody has announced to listen. Messages may be left out. No stream stores them.',
    client: 'receive',
  },
  inspectionWanted: {
    address: 'cox.inspect.wanted',
    parameters: {},
    messages: ['InspectionWanted'],
    description: 'Somebody listens to machines. To be repeated before it runs out. No stream stores it.',
    client: 'send',
  },
  letter: {
    address: 'cox.dead.{id}.letter',
    parameters: {
      id: { description: 'The id of the letter: the id of its task, which is two tokens, or for example ticket-417.' },
    },
    messages: ['DeadLetter'],
    description:
      'A task that was given up, or a message that is not a ticket. Kept on a stream until an operator retries or drops it.',
    client: 'receive',
  },
  costs: {
    address: 'cox.costs.{root}',
    parameters: { root: { description: 'The root of a tree that was purged: the part of its ids before the dot.' } },
    messages: ['TreeCosts'],
    description: 'What a tree has used that was purged. Kept for 400 days, once for each tree.',
    client: 'receive',
  },
  artifact: {
    address: 'cox.artifacts.{root}.{path}.{call}.{n}.head',
    parameters: {
      ...task,
      call: { description: 'The id of the call within its task.' },
      n: { description: 'Which change of the call, from 0.' },
    },
    messages: ['ArtifactHead'],
    description:
      'What a call replaced. The content is in parts on cox.artifacts.{root}.{path}.{call}.{n}.{sha256}.{i}. For workers.',
  },
  talk: {
    address: 'cox.talk.{id}.line',
    parameters: { id: { description: 'The id of the line.' } },
    messages: ['TalkLine'],
    description:
      'A line that an operator said to the primary agent, with its answer. Kept on a stream of its own, the last message of each line, at most 1,000 lines.',
    client: 'receive',
  },
  pending: {
    address: 'cox.tasks.{type}.pending',
    parameters: type,
    messages: ['Ticket'],
    description: 'One ticket for each run that can be claimed, on the work stream. For workers; clients use cox.api.dispatch.',
  },
  wake: {
    address: 'cox.tasks.{type}.wake',
    parameters: type,
    messages: ['Ticket'],
    description: 'One ticket for each run of a parked task that was woken. These runs have slots of their own. For workers.',
  },
};

function asyncApi(): JsonSchema {
  const schemas = Object.fromEntries(
    Object.entries(protocolSchemas((name) => `#/components/schemas/${name}`)).map(([name, { $schema: _, ...schema }]) => [
      name,
      schema,
    ]),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Coxswain',
      version: serviceVersion,
      description: 'Dispatch, watch and steer tasks over NATS. docs/protocol/README.md describes it in words.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      crew: {
        host: '127.0.0.1:{port}',
        protocol: 'nats',
        description: 'The embedded server of a crew, or the server that NATS_URL names.',
        variables: { port: { description: 'The system chooses it; `cox doctor` shows it.', default: '4222' } },
      },
    },
    channels: { ...mapped(subjects, channelOf), ...Object.fromEntries(verbs.flatMap(apiChannels)) },
    operations: {
      ...Object.fromEntries(
        Object.entries(subjects).flatMap(([name, { client }]) =>
          client ? [[`${client}-${name}`, { action: client, channel: { $ref: `#/channels/${name}` } }]] : [],
        ),
      ),
      ...Object.fromEntries(verbs.map((verb) => [`request-${verb}`, request(verb)])),
    },
    components: { messages: componentMessages(), schemas },
  };
}

const mapped = <T, U>(record: Readonly<Record<string, T>>, make: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value)]));

const channelOf = ({ address, parameters, messages: carried, description }: Subject) => ({
  address,
  parameters,
  messages: messageRefs(carried),
  description,
});

const messageRefs = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));

/** The subject of a verb, and the reply inbox, which the requester names. */
const apiChannels = (verb: (typeof verbs)[number]) => [
  [`api-${verb}`, { address: `cox.api.${verb}`, messages: messageRefs([requestName(verb)]) }],
  [`api-${verb}-reply`, { address: null, messages: messageRefs([replyName(verb), 'Refusal']) }],
];

const request = (verb: (typeof verbs)[number]) => ({
  action: 'send',
  channel: { $ref: `#/channels/api-${verb}` },
  reply: {
    address: { location: '$message.header#/reply', description: 'The reply subject of the NATS request.' },
    channel: { $ref: `#/channels/api-${verb}-reply` },
  },
});

function componentMessages(): JsonSchema {
  const schemaOf = (name: string) => ({ name, payload: { $ref: `#/components/schemas/${name}` } });
  const plainText = {
    name: 'PlainText',
    contentType: 'text/plain',
    payload: { type: 'string', minLength: 1 },
    summary: 'A correction in plain text: any payload that does not start with {.',
    examples: [{ payload: 'use my work email' }],
  };
  const withExamples = Object.entries(examples).map(([name, payloads]) => [
    name,
    { ...schemaOf(name), examples: payloads.map((payload) => ({ payload })) },
  ]);
  const ofTheService = verbs.flatMap((verb) => [requestName(verb), replyName(verb)]);
  return {
    ...Object.fromEntries([...ofTheService, 'Refusal'].map((name) => [name, schemaOf(name)])),
    ...Object.fromEntries(withExamples),
    PlainText: plainText,
  };
}
