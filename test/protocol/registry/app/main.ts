import { app } from '@azure/functions';
import '../../../../functions/http/registry.ts';

app.setup({ enableHttpStream: true });
