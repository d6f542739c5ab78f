/** Stands before a server of any kind. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Lets new connections wait, or those that are there go unanswered for ever, as it is told. */
export async function openDoor(connectionString: string) {
  const url = new URL(connectionString);
  let to = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  const silences = new Set<() => void>();
  let held = false;
  let word: string | undefined;
  let taken = 0;
  const server = createServer((socket) => {
    taken += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    const letIn = () => {
      if (socket.destroyed) return;
      const onward = connect(to);
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
      const silence = () => {
        socket.unpipe(onward);
        onward.unpipe(socket);
        socket.resume();
        onward
          .removeAllListeners('error')
          .on('error', () => undefined)
          .destroy();
      };
      silences.add(silence);
      socket.on('data', (bytes) => {
        if (word === undefined || !bytes.includes(word)) return;
        word = undefined;
        silence();
      });
    };
    if (held) waiting.push(letIn);
    else letIn();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    connectionString: url.href,
    taken: () => taken,
    hold: () => {
      held = true;
    },
    letIn: () => {
      held = false;
      for (const each of waiting.splice(0)) each();
    },
    /** New connections lead elsewhere, as a name does after a failover. */
    turnTo: (other: string) => {
      to = { host: '127.0.0.1', port: Number(new URL(other).port) };
    },
    /** As when a server or the network between goes away without a word: nothing is cut, nothing is answered. */
    silence: () => {
      for (const each of silences) each();
      silences.clear();
    },
    /** The first connection that says this word goes silent; resolves when one did. */
    silenceAt: async (said: string) => {
      word = said;
      while (word !== undefined) await sleep(10);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
