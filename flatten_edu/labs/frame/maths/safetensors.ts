// Reads the files in which the library ships weights: a header in JSON, then the tensors' bytes, little-endian.

export interface Tensor { shape: number[]; data: Float64Array }
export type Tensors = Map<string, Tensor>;
interface Entry { dtype: string; shape: number[]; data_offsets: [number, number] }

export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const READERS: Record<string, { width: number; read: (view: DataView, at: number) => number }> = {
  F16: { width: 2, read: (view, at) => half(view.getUint16(at, true)) },
  F32: { width: 4, read: (view, at) => view.getFloat32(at, true) },
  F64: { width: 8, read: (view, at) => view.getFloat64(at, true) },
  U8: { width: 1, read: (view, at) => view.getUint8(at) },
};

/** The tensors of a safetensors file by name, in float64: every float16 and float32 number is one. */
export function readSafetensors(file: DataView): Tensors {
  const length = Number(file.getBigUint64(0, true));
  if (length > file.byteLength - 8) throw new RangeError("this safetensors file was cut short");
  const text = new TextDecoder().decode(new Uint8Array(file.buffer, file.byteOffset + 8, length));
  const { __metadata__, ...entries } = JSON.parse(text) as Record<string, Entry>;
  return new Map(Object.entries(entries).map(([name, entry]) => [name, readTensor(file, 8 + length, entry)]));
}

function readTensor(file: DataView, start: number, { dtype, shape, data_offsets: [from, to] }: Entry): Tensor {
  const reader = READERS[dtype];
  if (!reader) throw new TypeError(`a tensor of ${dtype}: only ${Object.keys(READERS).join(", ")} can be read here`);
  const data = new Float64Array((to - from) / reader.width);
  for (let i = 0; i < data.length; i++) data[i] = reader.read(file, start + from + i * reader.width);
  return { shape, data };
}
