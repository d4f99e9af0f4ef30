package io.sirocco.tokenizer.convert;

import io.sirocco.checkpoint.ModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The fields of one protobuf message, one after the other. Nothing is copied before its length is
 * known to lie within the message; whatever the caller does not ask for is skipped.
 */
final class WireReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH = 2;
  private static final int FIXED32 = 5;

  /** Bytes of a varint of 64 bits. */
  private static final int MAX_VARINT = 10;

  private final String where;
  private final ByteBuffer message;
  private int field;
  private int type;
  private boolean isPending;

  /** {@code where} is the file, for errors. */
  WireReader(String where, byte[] message) {
    this(where, ByteBuffer.wrap(message));
  }

  private WireReader(String where, ByteBuffer message) {
    this.where = where;
    this.message = message.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Goes on to the next field; false at the end. */
  boolean next() {
    if (isPending) {
      skip();
    }
    if (!message.hasRemaining()) {
      return false;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    type = (int) (tag & 7);
    if (tag >>> 32 != 0 || field == 0) {
      throw damaged("no field has the number " + (tag >>> 3));
    }
    isPending = true;
    return true;
  }

  /** The number of the field. */
  int field() {
    return field;
  }

  /** The field's value, an integer, boolean or enum. */
  long integer() {
    take(VARINT, "an integer");
    return varint();
  }

  boolean truth() {
    return integer() != 0;
  }

  float number() {
    take(FIXED32, "a float");
    requireRemaining(Float.BYTES);
    return message.getFloat();
  }

  /** A message within this one. */
  WireReader inner() {
    return new WireReader(where, bytes("a message"));
  }

  /** Bytes that the field's value has. */
  int size() {
    return bytes("bytes").remaining();
  }

  String text() {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes("a text")).toString();
    } catch (CharacterCodingException e) {
      throw new ModelException(where, "field " + field + " is not UTF-8", e);
    }
  }

  private ByteBuffer bytes(String expected) {
    take(LENGTH, expected);
    int length = length();
    ByteBuffer bytes = message.slice(message.position(), length);
    message.position(message.position() + length);
    return bytes;
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > message.remaining()) {
      throw damaged(
          "field "
              + field
              + " has "
              + Long.toUnsignedString(length)
              + " bytes, the message around it ends after "
              + message.remaining());
    }
    return (int) length;
  }

  private void take(int expectedType, String expected) {
    if (!isPending || type != expectedType) {
      throw damaged("field " + field + " has wire type " + type + ", expected " + expected);
    }
    isPending = false;
  }

  private void skip() {
    isPending = false;
    switch (type) {
      case VARINT -> varint();
      case FIXED64 -> skip(Long.BYTES);
      case LENGTH -> skip(length());
      case FIXED32 -> skip(Integer.BYTES);
      default -> throw damaged("field " + field + " has wire type " + type);
    }
  }

  private void skip(int bytes) {
    requireRemaining(bytes);
    message.position(message.position() + bytes);
  }

  private long varint() {
    long value = 0;
    for (int i = 0; i < MAX_VARINT; i++) {
      requireRemaining(1);
      byte next = message.get();
      value |= (long) (next & 0x7F) << (7 * i);
      if (next >= 0) {
        return value;
      }
    }
    throw damaged("an integer has more than " + MAX_VARINT + " bytes");
  }

  private void requireRemaining(int bytes) {
    if (message.remaining() < bytes) {
      throw damaged("it ends within a field");
    }
  }

  private ModelException damaged(String problem) {
    return new ModelException(
        where, "is no SentencePiece model, or a damaged one: " + problem + "; bring it anew");
  }
}
