/** What makes, watches and removes machines: importing it registers its functions. */
import './activities/begin-retirement.ts';
import './activities/create-nic.ts';
import './activities/create-virtual-machine.ts';
import './activities/delete-resource.ts';
import './activities/ensure-network.ts';
import './activities/fail-machine.ts';
import './activities/forget-machine.ts';
import './activities/look-at-machine.ts';
import './activities/poll-operation.ts';
import './activities/record-machine.ts';
import './http/machine-observations.ts';
import './http/machine-registration.ts';
import './orchestrators/provision-machine.ts';
import './orchestrators/retire-machine.ts';
import './timers/sweep-machines.ts';
