// Tensors in a lab's traits: safetensors files (Python: tensors.py), each read once.
import { readSafetensors, type Tensor, type Tensors } from "./maths/safetensors";

const read = new WeakMap<DataView, Tensors>();

/** The tensors of a trait by name; none while it has not arrived. */
export function tensorsOf(bytes: DataView | null): Tensors {
  if (!bytes?.byteLength) return new Map();
  if (!read.has(bytes)) read.set(bytes, readSafetensors(bytes));
  return read.get(bytes)!;
}

export interface FloatMatrix { rows: number; columns: number; data: Float32Array }

export const asMatrix = ({ shape: [rows, columns], data }: Tensor): FloatMatrix => ({ rows, columns, data: Float32Array.from(data) });

export const matrixOf = (bytes: DataView): FloatMatrix => asMatrix(tensorsOf(bytes).get("matrix")!);

export const rowsOf = ({ rows, columns, data }: FloatMatrix): Float32Array[] =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
