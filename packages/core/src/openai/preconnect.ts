import type { Agent } from "node:http";
import type { Socket } from "node:net";

interface AheadOptions {
  /** The longest that a connection may have waited to be used: its other end may have closed it since. */
  maxRestMs: number;
  now: () => number;
}

/**
 * Lets an agent make a connection before there is a request for it, which then need not wait for it: one at a time, and none
 * while another rests. What becomes of it is the request's to find out, as with any connection.
 *
 * @returns begins one, to a host and port as the agent names them
 */
export function connectAhead(agent: Agent, { maxRestMs, now }: AheadOptions) {
  const create = agent.createConnection;
  let ahead: { socket: Socket; name: string; sinceMs: number } | null = null;

  const usable = () => {
    if (ahead && (ahead.socket.destroyed || now() - ahead.sinceMs > maxRestMs)) {
      ahead.socket.destroy();
      ahead = null;
    }
    return ahead;
  };

  agent.createConnection = (options, ...rest) => {
    const found = usable();
    if (found?.name !== nameOf(options)) return create.call(agent, options, ...rest);
    ahead = null;
    return found.socket.ref();
  };

  return (address: { host: string; port: string | number; servername?: string }): void => {
    const isIdle = (sockets: Socket[] | undefined) => sockets?.some(({ destroyed }) => !destroyed);
    if (usable() || Object.values(agent.freeSockets).some(isIdle)) return;
    const socket = create.call(agent, { ...asAgents, ...address }) as Socket;
    ahead = { socket: socket.on("error", () => {}).unref(), name: nameOf(address), sinceMs: now() };
  };
}

/**
 * What the agent asks for of each of its own. Without a delay the system would wait for 2 hours before it probes a silent
 * connection, which a NAT in between has forgotten by then: AWS's after 350 s, and a model may think for longer.
 */
const asAgents = { keepAlive: true, keepAliveInitialDelay: 1_000, noDelay: true };

const nameOf = ({ host, port }: { host?: string | null; port?: string | number | null }): string => `${host}:${port}`;
