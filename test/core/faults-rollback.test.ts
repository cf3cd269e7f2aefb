import { describeFaults } from '../support/every-fault.ts';

describeFaults('a rotation that cannot be verified');
