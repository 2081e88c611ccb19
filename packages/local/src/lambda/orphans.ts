import { spawn } from "node:child_process";

/** Reads `+pid` and `-pid` lines; at the end of its input, kills the process groups that were not taken back. */
const SCRIPT = `groups=" "
while read -r line; do
  group="\${line#?}"
  case "$line" in
    +*) groups="$groups$group " ;;
    -*) groups=\${groups%%" $group "*}" "\${groups#*" $group "} ;;
  esac
done
for group in $groups; do kill -9 "-$group"; done 2>/dev/null`;

/**
 * Kills the process groups given to it when this process ends, even by SIGKILL: a shell holds the other end of a pipe
 * that the kernel closes with us. A busy loop in a function cannot notice by itself that the stage is gone.
 */
export function guardAgainstOrphans() {
  // A session of its own, so that Ctrl-C in the terminal reaches the stage alone, which then stops in order.
  const shell = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  const closed = new Promise<void>((resolve) => {
    shell.once("close", () => resolve());
    shell.once("error", () => resolve());
  });
  shell.stdin.on("error", () => {});
  return {
    watch: (group: number) => void shell.stdin.write(`+${group}\n`),
    release: (group: number) => void shell.stdin.write(`-${group}\n`),
    stop: async () => {
      shell.stdin.end();
      await closed;
    },
  };
}

export type OrphanGuard = ReturnType<typeof guardAgainstOrphans>;
