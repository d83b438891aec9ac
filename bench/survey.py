"""A peer in the shape of the usual survey tutorial: questions and answers through the ORM, on SQLite as it comes."""

import os

from flask import Flask, Response, request, url_for
from flask import session as cookie
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from twilio.twiml.voice_response import VoiceResponse

app = Flask(__name__)
app.secret_key = "a secret of the benchmark alone"
engine = create_engine(os.environ["SURVEY_URL"])


class Model(DeclarativeBase):
    """Everything that is stored."""


class Survey(Model):
    """A list of questions."""

    __tablename__ = "surveys"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    questions: Mapped[list["Question"]] = relationship(back_populates="survey", order_by="Question.id")


class Question(Model):
    """One question, asked in turn."""

    __tablename__ = "questions"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"))
    survey: Mapped[Survey] = relationship(back_populates="questions")
    answers: Mapped[list["Answer"]] = relationship(back_populates="question")

    def following(self, session: Session) -> "Question | None":
        """Return the next question of the survey."""
        later = select(Question).where(Question.survey == self.survey, Question.id > self.id)
        return session.scalars(later.order_by(Question.id)).first()


class Answer(Model):
    """What one caller said to one question."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str]
    call_sid: Mapped[str]
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"))
    question: Mapped[Question] = relationship(back_populates="answers")


Model.metadata.create_all(engine)
with Session(engine) as seed:
    if not seed.scalars(select(Survey)).first():
        texts = [f"Question {number}: how content are you, from 1 to 5?" for number in range(1, 11)]
        seed.add(Survey(title="Service survey", questions=[Question(content=text) for text in texts]))
        seed.commit()


def twiml(response: VoiceResponse) -> Response:
    """Return a document as a reply."""
    return Response(str(response), mimetype="text/xml")


def ask(response: VoiceResponse, question: Question) -> None:
    """Say a question, remember it in the cookie, and wait for its answer."""
    cookie["question"] = question.id
    response.say(question.content)
    response.say("Please press a key, and then the hash key.")
    response.gather(action=url_for("save", number=question.id), method="POST")


@app.post("/voice")
def welcome() -> Response:
    """Greet, and ask the first question."""
    response = VoiceResponse()
    with Session(engine) as session:
        survey = session.scalars(select(Survey)).one()
        response.say(f"Thank you for taking part in the {survey.title}.")
        ask(response, survey.questions[0])
    return twiml(response)


@app.post("/answer/<int:number>")
def save(number: int) -> Response:
    """Save an answer, and ask the next question. (A tutorial's redirect to it would be one more webhook a turn.)"""
    response = VoiceResponse()
    with Session(engine) as session:
        question = session.get_one(Question, number)
        content = request.form.get("Digits", "")
        session.add(Answer(content=content, call_sid=request.form["CallSid"], question=question))
        session.commit()
        following = question.following(session)
        if following:
            ask(response, following)
        else:
            response.say("Thank you. Goodbye.")
            response.hangup()
    return twiml(response)
