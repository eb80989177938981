/** What brings images of other registries here: importing it registers its functions. */
import './activities/copy-blob.ts';
import './activities/copy-manifest.ts';
import './activities/plan-import.ts';
import './orchestrators/import-image.ts';
import './timers/refresh-copies.ts';
