"""The exam file: read into an ``Exam``, every wrong word one message with its line; and files to start from."""
