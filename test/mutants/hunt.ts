import { type Death, type History, suspects, tried } from './killer.ts';

/** What a process is asked: to try some histories, and if none of them breaks anything, to look further. */
export interface Hunt {
  readonly known: readonly History[];
  /** A history counts only if one of these invariants broke in it; empty: any. */
  readonly shows: readonly string[];
  /** How many seeds to search at most, beside everything else; 0: nothing more than the known ones. */
  readonly seeds: number;
}

/** What came of it. `stopped`: histories that could not be told to their end, and why the last one could not. */
export interface Hunted {
  readonly death: Death | null;
  readonly told: number;
  readonly stopped: number;
  readonly why: string;
}

// Without the process that asked there is nobody to tell.
process.on('disconnect', () => process.exit());

const { known, shows, seeds } = JSON.parse(process.argv[2] ?? '') as Hunt;
process.send?.(await hunted(), () => process.exit());

async function hunted(): Promise<Hunted> {
  let [told, stopped, why] = [0, 0, ''];
  const dies = async (by: History): Promise<Death | null> => {
    try {
      told += 1;
      const death = await tried(by);
      return death && (shows.length === 0 || death.invariants.some((one) => shows.includes(one))) ? death : null;
    } catch (error) {
      stopped += 1;
      why = (error as Error).message;
      return null;
    }
  };
  for (const by of known) {
    const death = await dies(by);
    if (death) return { death, told, stopped, why };
  }
  if (seeds > 0) {
    for await (const by of suspects(seeds)) {
      const death = await dies(by);
      if (death) return { death, told, stopped, why };
    }
  }
  return { death: null, told, stopped, why };
}
