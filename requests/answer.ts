import { doorOf } from './door.ts';
import { requests } from './requests.ts';

/** The door with everything that can be asked. */
export const answer = doorOf(requests);
