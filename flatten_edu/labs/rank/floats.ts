// Numbers that came as bytes: float16, float32 or float64, little-endian, after one byte that says how many bytes each has.

export function floats(view: DataView): Float64Array {
  const size = view.getUint8(0);
  const read = { 2: half, 4: (at: number) => view.getFloat32(at, true), 8: (at: number) => view.getFloat64(at, true) }[size];
  if (!read) throw new RangeError(`numbers of ${size} bytes`);
  return Float64Array.from({ length: (view.byteLength - 1) / size }, (_, i) => read(1 + i * size));

  function half(at: number): number {
    const bits = view.getUint16(at, true);
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
}
