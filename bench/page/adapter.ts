import * as tf from '@tensorflow/tfjs';

/** Information that a GPU backend gives about itself. */
interface GpuBackend {
  readonly gpgpu: {readonly gl: WebGLRenderingContext};
  readonly adapterInfo: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description?: string;
  };
}

/** Names the device of the backend in use; undefined for one without a GPU. */
export function adapterOf(backendName: string): string | undefined {
  const backend = tf.backend() as unknown as GpuBackend;
  if (backendName === 'webgl') return rendererOf(backend.gpgpu.gl);
  if (backendName !== 'webgpu') return undefined;
  const {vendor, architecture, description = ''} = backend.adapterInfo;
  return [vendor, architecture, description].filter(Boolean).join(' ');
}

/** Tells if a name is that of a program which takes a GPU's place. */
export function isSoftware(adapter: string): boolean {
  return /swiftshader|llvmpipe|basic render|software/i.test(adapter);
}

function rendererOf(gl: WebGLRenderingContext): string {
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER;
  return String(gl.getParameter(name));
}
