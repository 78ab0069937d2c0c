// Matrices in a lab's traits: rows and columns as uint32, then float32 numbers row by row. Python: labs/frame/matrices.py.
export interface FloatMatrix { rows: number; columns: number; data: Float32Array }

export function readMatrix(view: DataView): FloatMatrix {
  const bytes = view.buffer.slice(view.byteOffset + 8, view.byteOffset + view.byteLength);
  return { rows: view.getUint32(0, true), columns: view.getUint32(4, true), data: new Float32Array(bytes) };
}
