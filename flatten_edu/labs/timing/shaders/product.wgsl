// c[i, j] = sum of a[i, t] b[t, j]: 32 x 32 entries a workgroup by way of its shared memory, 4 x 4 a thread.
// * The z-th workgroup sums its own chunk of t and writes a matrix of its own, behind the one before.
struct Shape {
  rows: u32, inner: u32, columns: u32, chunk: u32,
  a_from: u32, a_row: u32, a_column: u32, b_from: u32, b_row: u32, b_column: u32, c_from: u32,
}
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
const SIDE = 32u;
const STEP = 16u;
var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 512>;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) me: vec3u, @builtin(local_invocation_index) index: u32) {
  let top = group.y * SIDE;
  let leftmost = group.x * SIDE;
  let first = group.z * s.chunk;
  let end = min(first + s.chunk, s.inner);
  var sums: array<vec4f, 4>;
  for (var t0 = first; t0 < end; t0 += STEP) {
    for (var e = index; e < SIDE * STEP; e += 64u) {
      // Neighbouring threads read neighbouring numbers, whichever way the matrix lies.
      let a_at = select(vec2u(e / SIDE, e % SIDE), vec2u(e % STEP, e / STEP), s.a_column == 1u);
      let b_at = select(vec2u(e / SIDE, e % SIDE), vec2u(e % STEP, e / STEP), s.b_row == 1u);
      var x = 0.0;
      var y = 0.0;
      if (t0 + a_at.x < end && top + a_at.y < s.rows) {
        x = a[s.a_from + (top + a_at.y) * s.a_row + (t0 + a_at.x) * s.a_column];
      }
      if (t0 + b_at.x < end && leftmost + b_at.y < s.columns) {
        y = b[s.b_from + (t0 + b_at.x) * s.b_row + (leftmost + b_at.y) * s.b_column];
      }
      left[a_at.x * SIDE + a_at.y] = x;
      right[b_at.x * SIDE + b_at.y] = y;
    }
    workgroupBarrier();
    for (var t = 0u; t < STEP; t++) {
      let i = t * SIDE + 4u * me.y;
      let j = t * SIDE + 4u * me.x;
      let row = vec4f(right[j], right[j + 1u], right[j + 2u], right[j + 3u]);
      for (var r = 0u; r < 4u; r++) { sums[r] += left[i + r] * row; }
    }
    workgroupBarrier();
  }
  let c_from = s.c_from + group.z * s.rows * s.columns;
  for (var r = 0u; r < 4u; r++) {
    for (var k = 0u; k < 4u; k++) {
      let i = top + 4u * me.y + r;
      let j = leftmost + 4u * me.x + k;
      if (i < s.rows && j < s.columns) { c[c_from + i * s.columns + j] = sums[r][k]; }
    }
  }
}
