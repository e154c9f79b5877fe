/** Package with the files for the running platform. */
export interface PlatformPackage {
  /** Name of the package. */
  name: string;
  /** Target triple. */
  target: string;
  /** Directory of the package. */
  dir: string;
}

/** Returns the package with the files for the running platform; throws if it is not installed. */
export function find(): PlatformPackage;

/** Returns the path of a file of that package, such as `lib/libdemo.so.1`. */
export function file(name: string): string;

/** Returns the path of the program of a command. */
export function program(command: string): string;

/** Runs the program of a command with the arguments of this process. */
export function run(command: string): void;

/** Loads an addon of that package; the only one if `name` is absent. */
export function addon(name?: string): any;
