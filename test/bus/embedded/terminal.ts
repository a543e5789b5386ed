/**
 * A terminal as a process of its own: it joins the embedded server, prints the address, then obeys lines. `put <text>`, `get`: a
 * value in JetStream. `reconnected`: answers once it has reached a server of another name than the first. `leave`.
 */
import { createInterface } from 'node:readline';
import { Kvm } from '@nats-io/kv';
import { connectBus } from '../../../bus/connection.ts';
import { openEmbeddedServer } from '../../../bus/embedded/embedded-server.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { openLog } from '../../../platform/log.ts';

const folders = foldersOf(process.env);
const log = openLog({ folder: folders.state, verbose: false, name: 'terminal' });
const server = await openEmbeddedServer({ folders, env: process.env, log });
const connection = await connectBus({ to: server, name: 'terminal', log });
const say = (value: unknown) => process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
const first = server.serverName;
say({ url: server.url, serverPid: server.pid });

const bucket = () => new Kvm(connection).create('test');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, text = ''] = line.split(' ');
  if (command === 'put') say(`put ${await (await bucket()).put('value', text)}`);
  if (command === 'get') say((await (await bucket()).get('value'))?.string() ?? 'nothing');
  if (command === 'reconnected') {
    const statuses = connection.status();
    if (connection.info?.server_name === first || !connection.info)
      for await (const { type } of statuses) if (type === 'reconnect') break;
    await server.ensure();
    say({ url: server.url, serverPid: server.pid, renamed: connection.info?.server_name !== first });
  }
  if (command === 'leave') break;
}
await connection.close();
await server.stop();
