/** What brings services and jobs to what is wanted of them: importing it registers its functions. */
import './activities/await-before.ts';
import './activities/await-dependencies.ts';
import './activities/await-machine.ts';
import './activities/check-replica.ts';
import './activities/end-run.ts';
import './activities/note-progress.ts';
import './activities/observe-service.ts';
import './activities/record-rollout.ts';
import './activities/start-replica.ts';
import './activities/start-run.ts';
import './activities/stop-replica.ts';
import './activities/switch-replicas.ts';
import './activities/wait-for-run.ts';
import './orchestrators/roll-out.ts';
import './orchestrators/run-job.ts';
import './timers/due-schedules.ts';
import './timers/sweep-services.ts';
