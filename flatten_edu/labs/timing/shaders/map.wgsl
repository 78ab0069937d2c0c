// f_p(ReLU(x)) of each row of `length` <= 64 numbers, p = `value`; p = 0 stands for ReLU alone. A workgroup a row.
// After reduce.wgsl.
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
}
