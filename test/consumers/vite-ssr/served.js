// Runs the source as Vite's server for development does.
import {createServer} from 'vite';

const server = await createServer({
  server: {middlewareMode: true},
  appType: 'custom',
});
const {render} = await server.ssrLoadModule('/src/render.js');
const outcome = await render('served');
const modules = server.environments.ssr.moduleGraph.idToModuleMap.keys();
const inlined = [...modules].some((id) => id.includes('/tfjs-normalization/'));
await server.close();
console.log(JSON.stringify({...outcome, inlined}));
