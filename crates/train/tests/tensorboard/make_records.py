"""make_records.py: the records that TensorBoard itself writes of the events in the test of src/metrics/messages.rs, into records.bin.

    pip install tensorboard==2.20.0
"""
import io, pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

histogram = HistogramProto(min=-1, max=2, num=3, sum=1.5, sum_squares=5.25, bucket_limit=[0, 2], bucket=[1, 2])
image = Summary.Image(height=2, width=3, colorspace=3, encoded_image_string=b"\x89PNG")
summary = Summary(value=[
    Summary.Value(tag="loss", simple_value=0.5),
    Summary.Value(tag="weights", histo=histogram),
    Summary.Value(tag="clip", image=image),
])
out = io.BytesIO()
writer = RecordWriter(out)
writer.write(Event(wall_time=1.5, step=6, file_version="brain.Event:2").SerializeToString())
writer.write(Event(wall_time=1.5, step=7, session_log=SessionLog(status=SessionLog.START)).SerializeToString())
writer.write(Event(wall_time=1.5, step=8, summary=summary).SerializeToString())
(pathlib.Path(__file__).parent / "records.bin").write_bytes(out.getvalue())
