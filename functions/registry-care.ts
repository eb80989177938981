/** What cares for what the registry stores: importing it registers its functions. */
import './activities/care-for-page.ts';
import './activities/end-care.ts';
import './orchestrators/care-for-registry.ts';
import './timers/care-for-registry.ts';
