// Softmax of each row of `length` numbers times `value`, in place; a workgroup a row.
// After reduce.wgsl.
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
}
