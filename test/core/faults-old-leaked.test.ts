import { describeFaults } from '../support/every-fault.ts';

describeFaults('a revocation of the old version while its rotation waits for proof');
