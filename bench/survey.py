"""A peer in the shape of the usual survey tutorial: questions and answers through the ORM, on SQLite as it comes."""

import os

from flask import Flask, Response, request, url_for
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from twilio.twiml.voice_response import VoiceResponse

app = Flask(__name__)
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
        later = select(Question).where(Question.survey_id == self.survey_id, Question.id > self.id)
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
        texts = ("How many sites do you have?", "How many of them are down?", "May we call you back?")
        seed.add(Survey(title="Service survey", questions=[Question(content=text) for text in texts]))
        seed.commit()


def twiml(response: VoiceResponse) -> Response:
    """Return a document as a reply."""
    return Response(str(response), mimetype="text/xml")


@app.post("/voice")
def welcome() -> Response:
    """Greet, and go to the first question."""
    response = VoiceResponse()
    with Session(engine) as session:
        survey = session.scalars(select(Survey)).one()
        response.say(f"Thank you for taking part in the {survey.title}.")
        response.redirect(url_for("ask", number=survey.questions[0].id), method="POST")
    return twiml(response)


@app.post("/question/<int:number>")
def ask(number: int) -> Response:
    """Ask a question."""
    response = VoiceResponse()
    with Session(engine) as session:
        question = session.get_one(Question, number)
        response.say(question.content)
        response.say("Please press a key, and then the hash key.")
        response.gather(action=url_for("save", number=question.id), method="POST")
    return twiml(response)


@app.post("/answer/<int:number>")
def save(number: int) -> Response:
    """Save an answer, and go to the next question."""
    response = VoiceResponse()
    with Session(engine) as session:
        question = session.get_one(Question, number)
        answer = Answer(content=request.form.get("Digits", ""), call_sid=request.form["CallSid"], question=question)
        session.add(answer)
        session.commit()
        following = question.following(session)
        if following:
            response.redirect(url_for("ask", number=following.id), method="POST")
        else:
            response.say("Thank you. Goodbye.")
            response.hangup()
    return twiml(response)
