import { describeFaults } from '../support/every-fault.ts';

describeFaults('the first issue');
