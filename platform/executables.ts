/** Programs that are installed on this machine. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first executable file of this name on the PATH, or null. */
export function executableOnPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const path = env.PATH ?? env.Path ?? '';
  return (
    path
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, file))
      .find(isExecutable) ?? null
  );
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
