// The compute shaders, one string each. Matrices are rows of float32 in storage buffers, as in maths/attention_timing.ts.

/** c[i, j] = sum of a[i, t] b[t, j]: 32 x 32 entries a workgroup by way of its shared memory, 4 x 4 a thread.
 *
 * The z-th workgroup sums its own chunk of t and writes a matrix of its own, behind the one before.
 */
export const PRODUCT = /* wgsl */ `
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
}`;

/** A workgroup's sum and largest number, known to all its 64 threads. */
const REDUCE = /* wgsl */ `
var<workgroup> shared_values: array<f32, 64>;
fn total(value: f32, index: u32) -> f32 {
  shared_values[index] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (index < half) { shared_values[index] += shared_values[index + half]; }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
fn largest(value: f32, index: u32) -> f32 {
  shared_values[index] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (index < half) { shared_values[index] = max(shared_values[index], shared_values[index + half]); }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
struct Rows { length: u32, value: f32 }
@group(0) @binding(0) var<uniform> s: Rows;`;

/** Softmax of each row of `length` numbers times `value`, in place; a workgroup a row. */
export const SOFTMAX = /* wgsl */ `${REDUCE}
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let from_entry = group.x * s.length;
  var top = -3.0e38;
  for (var j = index; j < s.length; j += 64u) { top = max(top, x[from_entry + j]); }
  top = largest(top, index);
  var sum = 0.0;
  for (var j = index; j < s.length; j += 64u) {
    let e = exp(s.value * (x[from_entry + j] - top));
    x[from_entry + j] = e;
    sum += e;
  }
  let inverse = 1.0 / total(sum, index);
  for (var j = index; j < s.length; j += 64u) { x[from_entry + j] *= inverse; }
}`;

/** f_p(ReLU(x)) of each row of `length` <= 64 numbers, p = `value`; p = 0 stands for ReLU alone. A workgroup a row. */
export const MAP = /* wgsl */ `${REDUCE}
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn power(x: f32) -> f32 {
  if (s.value > 8.0 || s.value != floor(s.value)) { return select(0.0, pow(x, s.value), x > 0.0); }
  var y = x;
  for (var i = 1.0; i < s.value; i += 1.0) { y *= x; }
  return y;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let at = group.x * s.length + index;
  var r = 0.0;
  if (index < s.length) { r = max(x[at], 0.0); }
  if (s.value == 0.0) {
    if (index < s.length) { y[at] = r; }
    return;
  }
  let top = largest(r, index);
  let unit = select(0.0, r / top, top > 0.0);
  let powered = power(unit);
  let length = total(unit * unit, index);
  let powered_length = total(powered * powered, index);
  let scale = select(0.0, sqrt(length / powered_length) * top, top > 0.0);
  if (index < s.length) { y[at] = scale * powered; }
}`;

/** Sums of the columns of `rows` x `columns` numbers, each workgroup of its own chunk of rows; at most 64 columns. */
export const COLUMN_SUMS = /* wgsl */ `
struct Shape { rows: u32, columns: u32, chunk: u32 }
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  if (index >= s.columns) { return; }
  var sum = 0.0;
  for (var i = group.x * s.chunk; i < min((group.x + 1u) * s.chunk, s.rows); i++) { sum += x[i * s.columns + index]; }
  sums[group.x * s.columns + index] = sum;
}`;

/** y[i] = the sum of x[i], x[i + count], x[i + 2 count], ...: what the chunks have found, together. */
export const GATHER = /* wgsl */ `
struct Shape { count: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  if (me.x >= s.count) { return; }
  var sum = 0.0;
  for (var z = 0u; z < s.chunks; z++) { sum += x[z * s.count + me.x]; }
  y[me.x] = sum;
}`;

/** Each row of `out` divided by q . sums, or set to zero where that is zero; a workgroup a row of at most 64 numbers. */
export const DIVIDE = /* wgsl */ `${REDUCE}
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let at = group.x * s.length + index;
  var term = 0.0;
  if (index < s.length) { term = q[at] * sums[index]; }
  let sum = total(term, index);
  if (index < s.length) { out[at] = select(0.0, out[at] / sum, sum != 0.0); }
}`;

/** out += each channel of v convolved over the grid, zeros beyond its edges; a thread an entry. */
export const CONVOLUTION = /* wgsl */ `
struct Shape { height: u32, width: u32, channels: u32, side: u32 }
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> kernel: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  if (me.x >= s.height * s.width * s.channels) { return; }
  let channel = me.x % s.channels;
  let cell = vec2i(vec2u(me.x / s.channels / s.width, me.x / s.channels % s.width));
  var sum = 0.0;
  for (var i = 0u; i < s.side; i++) {
    for (var j = 0u; j < s.side; j++) {
      let there = cell + vec2i(vec2u(i, j)) - i32(s.side / 2u);
      if (all(there >= vec2i(0)) && there.x < i32(s.height) && there.y < i32(s.width)) {
        let at = (u32(there.x) * s.width + u32(there.y)) * s.channels + channel;
        sum += kernel[(i * s.side + j) * s.channels + channel] * v[at];
      }
    }
  }
  out[me.x] += sum;
}`;
