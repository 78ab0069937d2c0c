// Sums of the columns of `rows` x `columns` numbers, each workgroup of its own chunk of rows; at most 64 columns.
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
}
