package io.sirocco.tokenizer.convert;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes SentencePiece model files, as protobuf has them. */
public final class SentencePieceFile {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;

  private final Message model = new Message();
  private Message trainer =
      new Message().integer(3, 2).integer(35, 1).integer(40, 0).integer(41, 1).integer(42, 2);
  private Message normalizer = new Message().text(1, "identity").integer(3, 1).integer(4, 0);

  /** A protobuf message that grows. */
  static final class Message {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Message integer(int field, long value) {
      return varint((long) field << 3).varint(value);
    }

    Message number(int field, float value) {
      varint(((long) field << 3) | 5);
      byte[] four = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array();
      bytes.writeBytes(four);
      return this;
    }

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message bytes(int field, byte[] value) {
      varint(((long) field << 3) | 2).varint(value.length);
      bytes.writeBytes(value);
      return this;
    }

    Message message(int field, Message value) {
      return bytes(field, value.toBytes());
    }

    Message raw(byte[] fields) {
      bytes.writeBytes(fields);
      return this;
    }

    Message varint(long value) {
      for (long rest = value; ; rest >>>= 7) {
        if (rest >>> 7 == 0) {
          bytes.write((int) rest);
          return this;
        }
        bytes.write((int) (0x80 | (rest & 0x7F)));
      }
    }

    byte[] toBytes() {
      return bytes.toByteArray();
    }
  }

  /** With the unknown, beginning and end pieces, and nothing else. */
  public SentencePieceFile() {
    piece("<unk>", 0, UNKNOWN).control("<s>").control("</s>");
  }

  SentencePieceFile piece(String text, float score, long type) {
    model.message(1, new Message().text(1, text).number(2, score).integer(3, type));
    return this;
  }

  public SentencePieceFile control(String text) {
    return piece(text, 0, CONTROL);
  }

  /** The 256 pieces for single bytes. */
  public SentencePieceFile bytePieces() {
    for (int b = 0; b < 256; b++) {
      piece(String.format("<0x%02X>", b), 0, BYTE);
    }
    return this;
  }

  /** Each is put together later than the one before. */
  public SentencePieceFile pieces(String... texts) {
    for (int i = 0; i < texts.length; i++) {
      piece(texts[i], -i, NORMAL);
    }
    return this;
  }

  SentencePieceFile trainer(Message other) {
    trainer = other;
    return this;
  }

  SentencePieceFile normalizer(Message other) {
    normalizer = other;
    return this;
  }

  public byte[] bytes() {
    return new Message().raw(model.toBytes()).message(2, trainer).message(3, normalizer).toBytes();
  }

  /** A small one of Mistral's first kind: ids 259 and up are the pieces. */
  public static SentencePieceFile small() {
    return new SentencePieceFile()
        .bytePieces()
        .pieces("▁a", "th", "▁th", "the", "▁the", "▁▁", "in", "▁", "a", "e", "h", "i", "n", "t");
  }
}
