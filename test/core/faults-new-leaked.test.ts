import { describeFaults } from '../support/every-fault.ts';

describeFaults('a revocation of the new version while its rotation waits for proof');
