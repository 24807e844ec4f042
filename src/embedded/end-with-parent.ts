// A child process that was started in its own process group, out of reach of Ctrl-C, would outlive a
// parent that is killed. This ties it to the parent all the same.

import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Interrupts the child when this process is gone, however it went: a second small process waits for
 * the end of its input, which the system closes with us. Does nothing on Windows.
 */
export function endWithParent(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) return
  const script = `cat >/dev/null; kill -INT ${child.pid}`
  const watchdog = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
  watchdog.on('error', () => {}) // without a shell the child is on its own, as it was before
  watchdog.unref()
  // Its number may be given to another process once the child is gone.
  child.once('exit', () => watchdog.kill('SIGKILL'))
}
