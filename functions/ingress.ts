/** What keeps the ingress: importing it registers its functions. */
import './activities/balance-ingress.ts';
import './activities/build-ingress-image.ts';
import './activities/deploy-ingress.ts';
import './activities/look-at-ingress.ts';
import './activities/note-ingress.ts';
import './activities/obtain-certificate.ts';
import './activities/push-ingress.ts';
import './orchestrators/keep-ingress.ts';
